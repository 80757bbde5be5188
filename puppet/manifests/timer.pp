# @summary What starts the drills of one job: a timer of systemd's, or a line of cron's.
#
# The name of the resource is the name of the job. What is not wanted is removed.
#
# @api private
#
# @param ensure
#   Whether drills are made.
# @param drill
#   When they are made. How much they restore is in the job's file.
define check_duplicity::timer (
  Enum['present', 'absent'] $ensure,
  Check_duplicity::Drill $drill,
) {
  $provider = $drill.get('provider', 'systemd')
  $others = $provider ? {
    'systemd' => { 'cron' => ['minute', 'hour', 'weekday'] },
    default   => { 'systemd' => ['calendar', 'delay'] },
  }
  $others.each |$other, $keys| {
    $wrong = $keys.filter |$key| { $key in $drill }
    unless empty($wrong) {
      fail("check_duplicity::job ${title}: drill has ${join($wrong, ', ')}, which is for ${other}, and not for ${provider}")
    }
  }

  $by_timer = $ensure == 'present' and $provider == 'systemd'
  $by_cron = $ensure == 'present' and $provider == 'cron'
  $timeout = $drill['timeout']
  $options = $timeout ? {
    undef   => "-j ${title}",
    default => "-j ${title} -t ${timeout}",
  }
  $values = { 'command' => "${check_duplicity::programs}/duplicity_drill ${options}" }

  # "+" is the only character that a job's name may have and a unit's name may not.
  $instance = regsubst($title, '\+', '\\x2b', 'G')
  $units = '/etc/systemd/system'
  $timer = "duplicity-drill@${instance}.timer"
  $link = "${units}/timers.target.wants/${timer}"

  if $by_timer {
    include check_duplicity::units

    file {
      default:
        owner => 'root',
        group => 'root',
        ;
      ["${units}/duplicity-drill@${instance}.service.d", "${units}/${timer}.d"]:
        ensure => directory,
        mode   => '0755',
        ;
      "${units}/duplicity-drill@${instance}.service.d/puppet.conf":
        ensure  => file,
        mode    => '0644',
        content => epp('check_duplicity/drill.service.epp', $values + { 'timeout' => $timeout }),
        notify  => Exec['check_duplicity units'],
        ;
      "${units}/${timer}.d/puppet.conf":
        ensure  => file,
        mode    => '0644',
        content => epp('check_duplicity/drill.timer.epp', {
            'calendar' => $drill.get('calendar', 'weekly'),
            'delay'    => $drill.get('delay', '6h'),
        }),
        notify  => Exec['check_duplicity units'],
        ;
    }

    # Not a service resource: a timer can be enabled where systemd doesn't run, as in an image that is being
    # built, and is then started with the system.
    exec {
      default:
        path     => ['/usr/bin', '/bin'],
        provider => shell,
        require  => [
          File["${units}/duplicity-drill@${instance}.service.d/puppet.conf", "${units}/${timer}.d/puppet.conf"],
          Class['check_duplicity::units'],
        ],
        ;
      "check_duplicity drill of ${title} is enabled":
        command => "systemctl enable --quiet ${shellquote($timer)}",
        unless  => "test -L ${shellquote($link)}",
        ;
      "check_duplicity drill of ${title} is waited for":
        command => "systemctl start ${shellquote($timer)}",
        onlyif  => "test -d /run/systemd/system && ! systemctl is-active --quiet ${shellquote($timer)}",
        require => Exec["check_duplicity drill of ${title} is enabled"],
        ;
      # systemd doesn't reread the calendar of a waiting timer.
      "check_duplicity drill of ${title} has another calendar":
        command     => "systemctl restart ${shellquote($timer)}",
        onlyif      => 'test -d /run/systemd/system',
        refreshonly => true,
        subscribe   => File["${units}/${timer}.d/puppet.conf"],
        require     => Exec["check_duplicity drill of ${title} is waited for"],
        ;
    }
  } else {
    # The unit's file may be gone already, but systemd can stop a unit that it has loaded.
    exec { "check_duplicity drill of ${title} is not waited for":
      command  => "rm -f ${shellquote($link)} && if test -d /run/systemd/system; then systemctl stop ${shellquote($timer)}; fi",
      onlyif   => "test -L ${shellquote($link)}",
      path     => ['/usr/bin', '/bin'],
      provider => shell,
    }
    -> file { ["${units}/duplicity-drill@${instance}.service.d", "${units}/${timer}.d"]:
      ensure => absent,
      force  => true,
      backup => false,
    }
  }

  # cron ignores files with other characters in their names.
  file { "/etc/cron.d/check_duplicity_drill_${regsubst($title, '[@+]', '_', 'G')}":
    ensure  => if $by_cron { 'file' } else { 'absent' },
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => epp('check_duplicity/drill.cron.epp', $values + {
        'minute'  => $drill.get('minute', fqdn_rand(60, "check_duplicity ${title}")),
        'hour'    => $drill.get('hour', fqdn_rand(6, "check_duplicity ${title}")),
        'weekday' => $drill.get('weekday', 1),
    }),
  }
}
