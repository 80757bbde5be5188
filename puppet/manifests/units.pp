# @summary The units that the timers are made of. The package brings them; else they are here.
# @api private
class check_duplicity::units {
  $ensure = if $check_duplicity::ensure == 'present' and $check_duplicity::install != 'package' { 'file' } else { 'absent' }

  [
    'duplicity-drill@.service', 'duplicity-drill@.timer', 'duplicity-metrics@.service', 'duplicity-metrics@.timer',
    'duplicity-metrics-jobs.service', 'duplicity-metrics-jobs.timer',
  ].each |$unit| {
    file { "/etc/systemd/system/${unit}":
      ensure => $ensure,
      owner  => 'root',
      group  => 'root',
      mode   => '0644',
      source => "puppet:///modules/check_duplicity/${unit}",
      notify => Exec['check_duplicity units'],
    }
  }

  # Where systemd doesn't run, as in an image that is being built, it reads the units when it starts.
  exec { 'check_duplicity units':
    command     => 'systemctl daemon-reload',
    onlyif      => 'test -d /run/systemd/system',
    path        => ['/usr/bin', '/bin'],
    refreshonly => true,
  }
}
