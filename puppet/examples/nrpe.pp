# NRPE asks for two jobs; the plugins were installed by hand, see docs/install.rst in the project.
class { 'check_duplicity':
  install     => 'none',
  plugin_dir  => '/opt/check-duplicity/bin',
  manage_nrpe => true,
  metrics     => '/var/lib/prometheus/node-exporter',
}

check_duplicity::job { 'assets':
  user            => 'backup',
  script          => '/var/spool/duplicity/assets.sh',
  destination     => Sensitive('rsync://backup:secret@backup.example.org//srv/assets'),
  archive_dir     => '/data/backups/.cache/duplicity',
  backup_schedule => '0 2 * * *',
  mail            => '/var/mail/backup',
  drill           => { ensure => absent },
}

check_duplicity::job { 'db':
  user         => 'root',
  destination  => 'file:///srv/100% safe; really',
  options      => ['--file-prefix', 'db-'],
  encryption   => 'required',
  full_warning => '32d',
  drill        => {
    calendar => 'Sun 04:00',
    timeout  => '2h',
    budget   => '10G',
  },
}
