# @summary The check that no job of the host is forgotten or switched off: NRPE's command, and sudo's rule.
# @api private
class check_duplicity::inventory {
  $exists = $check_duplicity::ensure == 'present'
  $plugin = "${check_duplicity::plugins}/check_duplicity_jobs"
  $options = $check_duplicity::ignored_jobs.map |$name| { "--ignore ${name}" }
  # "" means to sudo that no argument is allowed; without it, sudo allows any.
  $arguments = if empty($options) { '""' } else { join($options, ' ') }
  $rules = $check_duplicity::monitors.map |$monitor| { "${monitor} ALL=(root) NOPASSWD: ${plugin} ${arguments}\n" }
  $command = join(["/usr/bin/sudo -n -u root ${plugin}"] + $options, ' ')

  # No job's file can have this name, because the job's name follows in it.
  file { '/etc/sudoers.d/check_duplicity':
    ensure       => if $exists { 'file' } else { 'absent' },
    owner        => 'root',
    group        => 'root',
    mode         => '0440',
    content      => "# Puppet writes this file.\n${join($rules)}",
    validate_cmd => '/usr/sbin/visudo -cf %',
  }
  -> file { "${check_duplicity::nrpe_dir}/check_duplicity.cfg":
    ensure  => if $exists and 'nrpe' in $check_duplicity::asked_by { 'file' } else { 'absent' },
    owner   => 'root',
    group   => 'root',
    mode    => '0644',
    content => "# Puppet writes this file.\ncommand[check_duplicity_jobs]=${command}\n",
  }

  Package<| title == $check_duplicity::nrpe_package |>
  -> File["${check_duplicity::nrpe_dir}/check_duplicity.cfg"]
  ~> Service<| title == $check_duplicity::nrpe_service |>
}
