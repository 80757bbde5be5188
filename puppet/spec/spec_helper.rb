# frozen_string_literal: true

require 'fileutils'
require 'rspec-puppet'
require 'tmpdir'

# Puppet finds a module by its directory's name, whatever this one is called.
modules = Dir.mktmpdir('check_duplicity')
File.symlink(File.expand_path('..', __dir__), File.join(modules, 'check_duplicity'))
at_exit { FileUtils.remove_entry(modules) }

FAMILIES = {
  'Debian' => { 'family' => 'Debian', 'name' => 'Debian', 'release' => { 'major' => '12', 'full' => '12.5' } },
  'RedHat' => { 'family' => 'RedHat', 'name' => 'Rocky', 'release' => { 'major' => '9', 'full' => '9.3' } },
}.freeze

def facts_of(family)
  { 'os' => FAMILIES.fetch(family) }
end

RSpec.configure do |config|
  config.setup_fixtures = false
  config.module_path = modules
  config.strict_variables = true
  config.mock_with :rspec
  config.default_facts = facts_of('Debian')
  config.before { Puppet[:strict] = :error }
  config.after(:suite) { RSpec::Puppet::Coverage.report!(100) }
end
