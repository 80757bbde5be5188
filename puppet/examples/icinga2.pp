# Icinga 2's agent asks: the same rules for sudo, and nothing for NRPE.
class { 'check_duplicity':
  install    => 'none',
  plugin_dir => '/opt/check-duplicity/bin',
  asked_by   => ['icinga2'],
}

check_duplicity::job { 'assets':
  user        => 'backup',
  destination => Sensitive('rsync://backup:secret@backup.example.org//srv/assets'),
}
