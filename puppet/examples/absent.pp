# Everything that the other examples have made goes away again.
class { 'check_duplicity':
  ensure  => absent,
  install => 'virtualenv',
}

check_duplicity::job { ['assets', 'db']:
  ensure => absent,
  user   => 'backup',
}
