# @summary One job: its file for the plugins, NRPE's commands, sudo's rules for them, and its drills.
#
# The name of the resource is the name of the job: letters, digits, `-`, `_`, `@` and `+`.
#
# Makes `/etc/check-duplicity/jobs.d/NAME.ini`, `NRPE_DIR/check_duplicity_NAME.cfg` (if NRPE asks) and
# `/etc/sudoers.d/check_duplicity_NAME`. NRPE's commands are `check_duplicity_freshness_NAME`,
# `check_duplicity_process_NAME`, `check_duplicity_log_NAME` and `check_duplicity_restore_NAME`; each runs
# exactly `/usr/bin/sudo -n -u USER PLUGINS/check_duplicity_freshness -j NAME` and so on, and nothing else
# is allowed.
#
# With `drill` its backups are read back once a week, by the timer `duplicity-drill@NAME.timer` or by a line
# in `/etc/cron.d/check_duplicity_drill_NAME`, both as root: duplicity_drill becomes the job's user itself.
#
# Facts that are not given are looked for by the plugins, in crontabs and scripts: see docs/jobs.rst in
# the project.
#
# @example Root's job, for which another program starts duplicity
#   check_duplicity::job { 'db':
#     user           => 'root',
#     destination    => Sensitive('sftp://backup:secret@backup.example.org//srv/db'),
#     options        => Sensitive(['--ssh-options=-oPort=2222', '--file-prefix', 'db-']),
#     duplicity      => '/opt/duplicity/bin/duplicity',
#     encryption     => 'required',
#     full_warning   => '32d',
#     chain_critical => 60,
#   }
#
# @example A job whose backups are read back on Sundays, 2 GB of them and always one file
#   check_duplicity::job { 'assets':
#     user  => 'govuk-backup',
#     drill => {
#       calendar => 'Sun 04:00',
#       delay    => '2h',
#       budget   => '2G',
#       paths    => ['srv/assets/index.html'],
#     },
#   }
#
# @example The same by cron, on a host without systemd
#   check_duplicity::job { 'assets':
#     user  => 'govuk-backup',
#     drill => { provider => 'cron', weekday => 'sun', hour => 4 },
#   }
#
# @param user
#   The user whom the job runs as; the checks run as the same one.
# @param ensure
#   `absent` removes all of its files, and its timer.
# @param group
#   The group that may read the job's file: `user`'s own. The name of the user if not given.
# @param script
#   What cron or a timer runs, by its absolute path.
# @param destination
#   The URL that duplicity is given. With a password in it let it be Sensitive.
# @param archive_dir
#   The job's archive directory.
# @param backup_name
#   The job's `--name` (in the job's file: `name`, which is Puppet's own).
# @param backup_schedule
#   When it runs, as cron is told (in the job's file: `schedule`, which is Puppet's own). The limits of
#   the newest backup's age follow from it.
# @param time_zone
#   The time zone of the schedule, if it isn't the host's.
# @param mail
#   Mailboxes, Maildirs and logs with what the runs said; directories of logs, patterns
#   (`/var/log/web-*.log`), and systemd's journal: `journal:UNIT` or `journal:tag=TAG`. It is where the
#   job's output goes: `duplicity_triage JOB --list-jobs` finds that. `/dev/null` says that it is thrown
#   away, and is not looked for in the user's mailbox.
# @param options
#   Options for duplicity: one text as in a shell, or an array with one word each. Let them be Sensitive
#   if there is a password in them.
# @param duplicity
#   How to start duplicity, by its absolute path.
# @param environment_file
#   A file with `NAME=value` lines for duplicity: root's or the user's, with no link on its path. It is read as
#   the job's user.
# @param encryption
#   Whether the backups are encrypted; `required` if it is CRITICAL that they aren't.
# @param started
#   `elsewhere` if a person, another host or a program that can't be read starts it: then check_duplicity_jobs
#   looks for nothing that does.
# @param warning
#   Age of the newest complete backup.
# @param critical
#   Age of the newest complete backup.
# @param full_warning
#   Age of the newest full backup.
# @param full_critical
#   Age of the newest full backup.
# @param chain_warning
#   Number of sets in the newest chain.
# @param chain_critical
#   Number of sets in the newest chain.
# @param fulls_warning
#   Number of full backups that can be restored; `2:` is at least two.
# @param fulls_critical
#   Number of full backups that can be restored; `2:` is at least two.
# @param history_warning
#   Age of the oldest backup that can be restored; `30d:` is at least 30 days.
# @param history_critical
#   Age of the oldest backup that can be restored; `30d:` is at least 30 days.
# @param shrunk_warning
#   By how many per cent the source is smaller than the median of the last 30 days, or `none`.
# @param shrunk_critical
#   By how many per cent the source is smaller than the median of the last 30 days, or `none`.
# @param source_size_warning
#   Size of the source, in the newest run.
# @param source_size_critical
#   Size of the source, in the newest run.
# @param backup_size_warning
#   Size of what the newest run has backed up.
# @param backup_size_critical
#   Size of what the newest run has backed up.
# @param duration_warning
#   How long the newest run took.
# @param duration_critical
#   How long the newest run took.
# @param errors_warning
#   Number of files that could not be read.
# @param errors_critical
#   Number of files that could not be read.
# @param process_warning
#   How long a backup has been running.
# @param process_critical
#   How long a backup has been running.
# @param stalled_warning
#   How long nothing of a running backup has moved.
# @param stalled_critical
#   How long nothing of a running backup has moved.
# @param restore_warning
#   Age of the newest good drill.
# @param restore_critical
#   Age of the newest good drill.
# @param proved_warning
#   Per cent of the newest chain's volumes that good drills have read; `50:` is at least half.
# @param proved_critical
#   Per cent of the newest chain's volumes that good drills have read; `50:` is at least half.
# @param lookback
#   Runs that are older don't count any more.
# @param drill
#   When its backups are read back by duplicity_drill, and how much of them: see `Check_duplicity::Drill`.
#   `{}` is weekly by a timer of systemd's. If it isn't given, nothing is enabled, and nothing removed.
define check_duplicity::job (
  Check_duplicity::Account $user,
  Enum['present', 'absent'] $ensure = 'present',
  Check_duplicity::Account $group = $user,
  Optional[Check_duplicity::Command] $script = undef,
  Optional[Variant[Check_duplicity::Url, Sensitive[Check_duplicity::Url]]] $destination = undef,
  Optional[Check_duplicity::Path] $archive_dir = undef,
  Optional[Check_duplicity::Line] $backup_name = undef,
  Optional[Check_duplicity::Schedule] $backup_schedule = undef,
  Optional[Check_duplicity::Timezone] $time_zone = undef,
  Optional[Variant[Check_duplicity::Log, Array[Check_duplicity::Log, 1]]] $mail = undef,
  Optional[Variant[
      Check_duplicity::Words,
      Array[Check_duplicity::Line, 1],
      Sensitive[Variant[Check_duplicity::Words, Array[Check_duplicity::Line, 1]]],
  ]] $options = undef,
  Optional[Check_duplicity::Command] $duplicity = undef,
  Optional[Check_duplicity::Path] $environment_file = undef,
  Optional[Check_duplicity::Encryption] $encryption = undef,
  Optional[Enum['here', 'elsewhere']] $started = undef,
  Optional[Check_duplicity::Age] $warning = undef,
  Optional[Check_duplicity::Age] $critical = undef,
  Optional[Check_duplicity::Age] $full_warning = undef,
  Optional[Check_duplicity::Age] $full_critical = undef,
  Optional[Check_duplicity::Count] $chain_warning = undef,
  Optional[Check_duplicity::Count] $chain_critical = undef,
  Optional[Check_duplicity::Count] $fulls_warning = undef,
  Optional[Check_duplicity::Count] $fulls_critical = undef,
  Optional[Check_duplicity::Age] $history_warning = undef,
  Optional[Check_duplicity::Age] $history_critical = undef,
  Optional[Check_duplicity::Percent] $shrunk_warning = undef,
  Optional[Check_duplicity::Percent] $shrunk_critical = undef,
  Optional[Check_duplicity::Size] $source_size_warning = undef,
  Optional[Check_duplicity::Size] $source_size_critical = undef,
  Optional[Check_duplicity::Size] $backup_size_warning = undef,
  Optional[Check_duplicity::Size] $backup_size_critical = undef,
  Optional[Check_duplicity::Age] $duration_warning = undef,
  Optional[Check_duplicity::Age] $duration_critical = undef,
  Optional[Check_duplicity::Count] $errors_warning = undef,
  Optional[Check_duplicity::Count] $errors_critical = undef,
  Optional[Check_duplicity::Age] $process_warning = undef,
  Optional[Check_duplicity::Age] $process_critical = undef,
  Optional[Check_duplicity::Age] $stalled_warning = undef,
  Optional[Check_duplicity::Age] $stalled_critical = undef,
  Optional[Check_duplicity::Age] $restore_warning = undef,
  Optional[Check_duplicity::Age] $restore_critical = undef,
  Optional[Check_duplicity::Count] $proved_warning = undef,
  Optional[Check_duplicity::Count] $proved_critical = undef,
  Optional[Check_duplicity::Age] $lookback = undef,
  Optional[Check_duplicity::Drill] $drill = undef,
) {
  include check_duplicity

  unless $title =~ Check_duplicity::Jobname {
    $reason = $title ? {
      /\./    => "a dot can't be in it, since sudo ignores files in /etc/sudoers.d whose names have one",
      default => 'letters, digits, - _ @ + can be in it, up to 100, and no - at its start',
    }
    fail("check_duplicity::job: ${String($title, '%p')} can't be the name of a job: ${reason}")
  }

  # Puppet would take both for its own metaparameters, silently or with an unhelpful error.
  if getvar('schedule') =~ Check_duplicity::Schedule {
    fail("check_duplicity::job ${title}: the job's schedule is given as backup_schedule; schedule is Puppet's own")
  }
  if $name != $title {
    fail("check_duplicity::job ${title}: the job's --name is given as backup_name; name is Puppet's own")
  }

  $exists = $ensure == 'present' and $check_duplicity::ensure == 'present'
  $file_ensure = if $exists { 'file' } else { 'absent' }
  $nrpe_ensure = if $exists and 'nrpe' in $check_duplicity::asked_by { 'file' } else { 'absent' }

  $drills = $drill.lest || { {} }

  $in_file = {
    'user'                 => $user,
    'script'               => $script,
    'destination'          => $destination.unwrap,
    'archive_dir'          => $archive_dir,
    'name'                 => $backup_name,
    'schedule'             => $backup_schedule,
    'time_zone'            => $time_zone,
    'mail'                 => $mail.then |$paths| { check_duplicity::words(flatten([$paths])) },
    'options'              => $options.unwrap.then |$words| { check_duplicity::words($words) },
    'duplicity'            => $duplicity,
    'environment_file'     => $environment_file,
    'encryption'           => $encryption ? { true => 'yes', false => 'no', default => $encryption },
    'started'              => $started,
    'warning'              => $warning,
    'critical'             => $critical,
    'full_warning'         => $full_warning,
    'full_critical'        => $full_critical,
    'chain_warning'        => $chain_warning,
    'chain_critical'       => $chain_critical,
    'fulls_warning'        => $fulls_warning,
    'fulls_critical'       => $fulls_critical,
    'history_warning'      => $history_warning,
    'history_critical'     => $history_critical,
    'shrunk_warning'       => $shrunk_warning,
    'shrunk_critical'      => $shrunk_critical,
    'source_size_warning'  => $source_size_warning,
    'source_size_critical' => $source_size_critical,
    'backup_size_warning'  => $backup_size_warning,
    'backup_size_critical' => $backup_size_critical,
    'duration_warning'     => $duration_warning,
    'duration_critical'    => $duration_critical,
    'errors_warning'       => $errors_warning,
    'errors_critical'      => $errors_critical,
    'process_warning'      => $process_warning,
    'process_critical'     => $process_critical,
    'stalled_warning'      => $stalled_warning,
    'stalled_critical'     => $stalled_critical,
    'restore_warning'      => $restore_warning,
    'restore_critical'     => $restore_critical,
    'proved_warning'       => $proved_warning,
    'proved_critical'      => $proved_critical,
    'lookback'             => $lookback,
    'drill_paths'          => $drills['paths'].then |$paths| { check_duplicity::words(flatten([$paths])) },
    'drill_volumes'        => $drills['volumes'],
    'drill_budget'         => $drills['budget'],
    'drill_tempdir'        => $drills['tempdir'],
  }.filter |$key, $value| { $value =~ NotUndef }

  $allowed = {
    'job'     => $title,
    'user'    => $user,
    'plugins' => $check_duplicity::plugins,
    'checks'  => ['freshness', 'process', 'log', 'restore'],
  }

  # The file may hold a password, so Puppet shows no difference and keeps no copy.
  file { "/etc/check-duplicity/jobs.d/${title}.ini":
    ensure    => $file_ensure,
    owner     => 'root',
    group     => $group,
    mode      => '0640',
    content   => Sensitive(epp('check_duplicity/job.ini.epp', { 'values' => $in_file })),
    show_diff => false,
    backup    => false,
    require   => Class['check_duplicity::install'],
  }

  file { "/etc/sudoers.d/check_duplicity_${title}":
    ensure       => $file_ensure,
    owner        => 'root',
    group        => 'root',
    mode         => '0440',
    content      => epp('check_duplicity/sudoers.epp', $allowed + { 'monitors' => $check_duplicity::monitors }),
    validate_cmd => '/usr/sbin/visudo -cf %',
    require      => File["/etc/check-duplicity/jobs.d/${title}.ini"],
  }

  file { "${check_duplicity::nrpe_dir}/check_duplicity_${title}.cfg":
    ensure  => $nrpe_ensure,
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => epp('check_duplicity/nrpe.cfg.epp', $allowed),
    require => File["/etc/sudoers.d/check_duplicity_${title}"],
  }

  # If drills aren't mentioned, a timer that somebody has enabled by hand stays.
  if $drill or !$exists {
    check_duplicity::timer { $title:
      ensure  => if $exists { $drills.get('ensure', 'present') } else { 'absent' },
      drill   => $drills,
      require => File["/etc/check-duplicity/jobs.d/${title}.ini"],
    }
  }

  if $check_duplicity::measured or !$exists {
    check_duplicity::metrics { "duplicity-metrics@${title}":
      ensure   => if $exists { $check_duplicity::measured } else { 'absent' },
      commands => Hash($allowed['checks'].map |$check| {
          ["${check}-${title}", "${check_duplicity::plugins}/check_duplicity_${check} -j ${title}"]
      }),
      require  => File["/etc/check-duplicity/jobs.d/${title}.ini"],
    }
  }

  Package<| title == $check_duplicity::nrpe_package |>
  -> File["${check_duplicity::nrpe_dir}/check_duplicity_${title}.cfg"]
  ~> Service<| title == $check_duplicity::nrpe_service |>
}
