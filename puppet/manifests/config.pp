# @summary The directory of the jobs' files: root's, or the plugins refuse it.
# @api private
class check_duplicity::config {
  if $check_duplicity::ensure == 'present' {
    file { ['/etc/check-duplicity', '/etc/check-duplicity/jobs.d']:
      ensure => directory,
      owner  => 'root',
      group  => 'root',
      mode   => '0755',
    }
  } else {
    file { '/etc/check-duplicity':
      ensure => absent,
      force  => true,
      backup => false,
    }
  }
}
