# frozen_string_literal: true

require 'spec_helper'
require 'yaml'

# The blocks of README.md, by the mark above each, which names a test of this file.
BLOCKS = File.read(File.expand_path('../../README.md', __dir__))
             .scan(/^<!-- test: \S+: (.+) -->\n(?:(?! {4}).*\n)*?((?: {4}.*\n|\n)* {4}.*\n)/)
             .to_h { |mark, block| [mark, block.gsub(/^ {4}/, '')] }

# A manifest stands before the class itself, which is there once.
describe 'check_duplicity' do
  ini = '/etc/check-duplicity/jobs.d/assets.ini'

  it 'names each of these tests, and no other' do
    tests = File.read(__FILE__).scan(/^ +it '(takes .+)' do/).flatten
    expect(BLOCKS.keys).to match_array(tests)
  end

  context 'with the manifest at the beginning of the README' do
    let(:pre_condition) { BLOCKS.fetch('takes the manifest at its beginning') }

    it 'takes the manifest at its beginning' do
      is_expected.to compile.with_all_deps
      is_expected.to contain_file(ini).with_content(sensitive(%r{^destination = rsync://}))
    end
  end

  context 'with the drill of the README' do
    let(:pre_condition) { "class { 'check_duplicity': }\n#{BLOCKS.fetch('takes the manifest with a drill')}" }

    it 'takes the manifest with a drill' do
      is_expected.to compile.with_all_deps
      is_expected.to contain_file('/etc/systemd/system/duplicity-drill@assets.timer.d/puppet.conf')
    end
  end

  context 'with the data for Hiera of the README' do
    let(:params) do
      jobs = YAML.safe_load(BLOCKS.fetch('takes the data for Hiera')).fetch('check_duplicity::jobs')
      { jobs: sensitive(jobs) }
    end

    it 'takes the data for Hiera' do
      is_expected.to compile.with_all_deps
      is_expected.to contain_file(ini).with_content(sensitive(%r{^destination = rsync://}))
    end
  end
end
