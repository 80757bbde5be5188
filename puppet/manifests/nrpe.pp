# @summary NRPE's package and service, if they are to be managed.
# @api private
class check_duplicity::nrpe {
  if $check_duplicity::manage_nrpe and $check_duplicity::ensure == 'present' {
    package { $check_duplicity::nrpe_package:
      ensure => installed,
    }
    -> service { $check_duplicity::nrpe_service:
      ensure => running,
      enable => true,
    }
  }
}
