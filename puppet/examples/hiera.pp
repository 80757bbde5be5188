# All of it from Hiera: see hiera.yaml and data.yaml beside this.
#   puppet apply --hiera_config examples/hiera.yaml examples/hiera.pp
include check_duplicity
