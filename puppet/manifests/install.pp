# @summary The plugins: a package, a virtual environment, or nothing.
# @api private
class check_duplicity::install {
  $virtualenv = $check_duplicity::virtualenv
  $python = "${virtualenv}/bin/python"
  $note = "${virtualenv}/source"
  # pip drops -I from the first line. With it, nothing in the environment decides which modules are loaded.
  $isolate = "sed -i '1s/^#!.*python[^ ]*\$/& -I/' ${virtualenv}/bin/check_duplicity_* ${virtualenv}/bin/duplicity_*"

  case [$check_duplicity::install, $check_duplicity::ensure] {
    ['package', 'present']: {
      package { $check_duplicity::package_name:
        ensure => $check_duplicity::package_ensure,
      }
    }
    ['package', 'absent']: {
      package { $check_duplicity::package_name:
        ensure => absent,
      }
    }
    ['virtualenv', 'present']: {
      $source = $check_duplicity::source
      unless $source {
        fail('check_duplicity: install => virtualenv needs source: a directory, a wheel, a URL, or a requirement for pip')
      }

      package { $check_duplicity::virtualenv_packages:
        ensure => installed,
      }
      # Make it again when the system's Python has changed.
      -> exec { 'check_duplicity virtualenv':
        command  => shellquote($check_duplicity::python, '-m', 'venv', $virtualenv),
        unless   => "test -x ${python} && ${python} -m pip --version",
        provider => shell,
        umask    => '022',
      }
      # The note is written last. If it is missing or differs, pip has not finished.
      -> exec { 'check_duplicity plugins':
        command  => "${shellquote($python, '-m', 'pip', 'install', '--quiet', '--upgrade', $source)} && ${isolate}",
        unless   => "${python} -I -c 'import check_duplicity, nagiosplugin' && ${shellquote('grep', '-qxF', '--', $source, $note)}",
        path     => ['/usr/bin', '/bin'],
        provider => shell,
        umask    => '022',
        timeout  => 900,
      }
      -> file { $note:
        ensure  => file,
        owner   => 'root',
        group   => 'root',
        mode    => '0600',
        content => "${source}\n",
      }
    }
    ['virtualenv', 'absent']: {
      file { $virtualenv:
        ensure => absent,
        force  => true,
        backup => false,
      }
    }
    default: {
      # The plugins are installed in another way.
    }
  }
}
