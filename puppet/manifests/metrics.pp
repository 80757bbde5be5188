# @summary A timer that has checks write metrics for node_exporter, of one job or of the host.
#
# The name of the resource is that of the unit: `duplicity-metrics@JOB`, or `duplicity-metrics-jobs`.
#
# @api private
#
# @param ensure
#   Whether there is one. What it has written stays.
# @param commands
#   The checks by the names of their files, without the options that have them write.
define check_duplicity::metrics (
  Enum['present', 'absent'] $ensure,
  Hash[String[1], String[1]] $commands,
) {
  # "+" is the only character that a job's name may have and a unit's name may not.
  $unit = regsubst($title, '\+', '\\x2b', 'G')
  $units = '/etc/systemd/system'
  $timer = "${unit}.timer"
  $link = "${units}/timers.target.wants/${timer}"
  $service = "${units}/${unit}.service.d"

  if $ensure == 'present' {
    include check_duplicity::units

    file { $service:
      ensure => directory,
      owner  => 'root',
      group  => 'root',
      mode   => '0755',
    }
    file { "${service}/puppet.conf":
      ensure  => file,
      owner   => 'root',
      group   => 'root',
      mode    => '0644',
      content => epp('check_duplicity/metrics.service.epp', {
          'commands'  => $commands,
          'directory' => $check_duplicity::metrics,
      }),
      notify  => Exec['check_duplicity units'],
    }

    # Not a service resource, as for the drills: a timer can be enabled where systemd doesn't run.
    exec {
      default:
        path     => ['/usr/bin', '/bin'],
        provider => shell,
        require  => [File["${service}/puppet.conf"], Class['check_duplicity::units']],
        ;
      "check_duplicity ${title} is enabled":
        command => "systemctl enable --quiet ${shellquote($timer)}",
        unless  => "test -L ${shellquote($link)}",
        ;
      "check_duplicity ${title} is waited for":
        command => "systemctl start ${shellquote($timer)}",
        onlyif  => "test -d /run/systemd/system && ! systemctl is-active --quiet ${shellquote($timer)}",
        require => Exec["check_duplicity ${title} is enabled"],
        ;
    }
  } else {
    exec { "check_duplicity ${title} is not waited for":
      command  => "rm -f ${shellquote($link)} && if test -d /run/systemd/system; then systemctl stop ${shellquote($timer)}; fi",
      onlyif   => "test -L ${shellquote($link)}",
      path     => ['/usr/bin', '/bin'],
      provider => shell,
    }
    -> file { $service:
      ensure => absent,
      force  => true,
      backup => false,
    }
  }
}
