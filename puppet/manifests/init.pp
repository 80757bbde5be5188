# @summary Checks of duplicity backups, and how NRPE and Icinga 2's agent may run them.
#
# Installs the plugins, and makes a `check_duplicity::job` of each of the jobs in Hiera. NRPE's own
# configuration is left alone: a job is a file of its own in its directory.
#
# What depends on the operating system comes from the module's data (Debian's and Red Hat's family);
# elsewhere give `install`, `plugin_dir` and the parameters of NRPE and Icinga 2 yourself.
#
# @example Debian's package, and one job
#   class { 'check_duplicity':
#     manage_nrpe => true,
#   }
#   check_duplicity::job { 'assets':
#     user            => 'govuk-backup',
#     destination     => Sensitive('rsync://backup@backup.example.org//srv/assets'),
#     backup_schedule => '0 2 * * *',
#   }
#
# @example All of it from Hiera
#   check_duplicity::install: virtualenv
#   check_duplicity::source: /srv/check-duplicity
#   check_duplicity::jobs:
#     assets:
#       user: govuk-backup
#       script: /var/spool/duplicity/assets.sh
#       destination: rsync://backup@backup.example.org//srv/assets
#       backup_schedule: 0 2 * * *
#
# @param ensure
#   `absent` removes all that this module has made, its jobs included, and what it installed. NRPE
#   stays.
# @param install
#   `package`: a package of the system. `virtualenv`: a virtual environment, see `source`. `none`: the
#   plugins come otherwise, and are in `plugin_dir`. Debian's family has `package`, Red Hat's
#   `virtualenv` by default.
# @param package_name
#   The package.
# @param package_ensure
#   Its version, or `latest`.
# @param source
#   What pip installs into the virtual environment: a directory with the project (copied to the host
#   beforehand), a wheel, a URL, or a requirement with its version. When it changes, it is installed
#   again.
# @param virtualenv
#   The virtual environment. All of it is Puppet's, and root's.
# @param python
#   The Python that it is made with, 3.9 or newer. All users must be able to read it, as they can
#   `/usr/bin/python3`. Red Hat 8 needs its python39 and `/usr/bin/python3.9` here.
# @param virtualenv_packages
#   Packages without which Python makes no virtual environment.
# @param plugin_dir
#   Where the plugins are, unless `install` is `virtualenv`: then they are in its `bin`.
# @param program_dir
#   Where duplicity_drill is. If not given: `/usr/bin` from the package, else where the plugins are.
# @param asked_by
#   Who asks: `nrpe`, `icinga2` (its agent), or both.
# @param monitoring_users
#   The users who may run the checks of a job by sudo. If not given, those of NRPE and Icinga 2 as they
#   are in `asked_by`.
# @param nrpe_user
#   The user that NRPE runs as.
# @param icinga2_user
#   The user that Icinga 2 runs as.
# @param nrpe_dir
#   The directory that NRPE includes.
# @param nrpe_package
#   NRPE's package.
# @param nrpe_service
#   NRPE's service. If it is in the catalogue, from here or elsewhere, it is told of changes.
# @param manage_nrpe
#   Whether to install NRPE and to have it running. What it allows, and whom, stays in its own file.
# @param ignored_jobs
#   What check_duplicity_jobs passes over: jobs that are none of yours by their names, and by their paths
#   files that it can't read.
# @param metrics
#   The directory of node_exporter's textfile collector, on Debian `/var/lib/prometheus/node-exporter`: timers
#   have the checks write metrics there every 15 minutes. `absent` removes these timers; what they have written
#   stays. Without a word a timer that somebody has enabled by hand stays.
# @param jobs
#   Jobs by their names, with the parameters of `check_duplicity::job`. Hiera's are merged deeply, and
#   are Sensitive.
class check_duplicity (
  Enum['package', 'virtualenv', 'none'] $install,
  Check_duplicity::Plainpath $plugin_dir,
  Array[String[1]] $virtualenv_packages,
  Check_duplicity::Account $nrpe_user,
  Check_duplicity::Account $icinga2_user,
  Check_duplicity::Plainpath $nrpe_dir,
  String[1] $nrpe_package,
  String[1] $nrpe_service,
  Enum['present', 'absent'] $ensure = 'present',
  String[1] $package_name = 'check-duplicity',
  String[1] $package_ensure = 'installed',
  Optional[Check_duplicity::Source] $source = undef,
  Check_duplicity::Plainpath $virtualenv = '/opt/check-duplicity',
  Check_duplicity::Plainpath $python = '/usr/bin/python3',
  Optional[Check_duplicity::Plainpath] $program_dir = undef,
  Array[Enum['nrpe', 'icinga2'], 1] $asked_by = ['nrpe'],
  Optional[Array[Check_duplicity::Account, 1]] $monitoring_users = undef,
  Boolean $manage_nrpe = false,
  Array[Variant[Check_duplicity::Jobname, Check_duplicity::Plainpath]] $ignored_jobs = [],
  Optional[Variant[Check_duplicity::Plainpath, Enum['absent']]] $metrics = undef,
  Variant[Hash[String[1], Hash], Sensitive[Hash[String[1], Hash]]] $jobs = {},
) {
  $plugins = $install ? {
    'virtualenv' => "${virtualenv}/bin",
    default      => $plugin_dir,
  }
  $programs = [$program_dir, $install] ? {
    [NotUndef, Any]    => $program_dir,
    [Any, 'package']   => '/usr/bin',
    default            => $plugins,
  }
  $users_of = { 'nrpe' => $nrpe_user, 'icinga2' => $icinga2_user }
  $monitors = unique($monitoring_users ? {
    undef   => $asked_by.map |$asker| { $users_of[$asker] },
    default => $monitoring_users,
  })

  contain check_duplicity::install
  contain check_duplicity::config
  contain check_duplicity::nrpe
  contain check_duplicity::inventory

  $measured = if $ensure == 'absent' { 'absent' } else { $metrics ? { undef => undef, 'absent' => 'absent', default => 'present' } }
  $ignored = $ignored_jobs.map |$name| { "--ignore ${name}" }
  if $measured {
    check_duplicity::metrics { 'duplicity-metrics-jobs':
      ensure   => $measured,
      commands => { 'jobs' => join(["${plugins}/check_duplicity_jobs"] + $ignored, ' ') },
    }
  }

  # systemd's units exist only if a job has a timer, which isn't known any more at the removal.
  if $ensure == 'absent' {
    contain check_duplicity::units
  }

  Class['check_duplicity::install'] -> Class['check_duplicity::config']
  Class['check_duplicity::install'] -> Class['check_duplicity::inventory']

  $jobs.unwrap.each |$job, $parameters| {
    $secrets = $parameters.filter |$key, $value| { $key in ['destination', 'options'] and $value !~ Sensitive }
    check_duplicity::job { $job:
      * => $parameters + Hash($secrets.map |$key, $value| { [$key, Sensitive($value)] }),
    }
  }
}
