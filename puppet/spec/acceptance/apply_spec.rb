# frozen_string_literal: true

# The examples are applied for real, in this order; in the end nothing is left of them. Needs root,
# and PyPI for what the plugins are made of.

require 'English'
require 'fileutils'
require 'json'
require 'open3'
require 'tmpdir'

MODULE = File.expand_path('../..', __dir__)
PROJECT = File.dirname(MODULE)
BIN = '/opt/check-duplicity/bin'
JOBS = '/etc/check-duplicity/jobs.d'
CRON = '/etc/cron.d/check_duplicity_drill_assets'
UNITS = '/etc/systemd/system'
NRPE_PID = '/run/nagios/nrpe.pid'
MADE = %w[/etc/check-duplicity /opt/check-duplicity /etc/sudoers.d/check_duplicity_* /etc/nagios/nrpe.d/check_duplicity_*
          /etc/cron.d/check_duplicity_* /etc/systemd/system/duplicity-drill@* /etc/systemd/system/timers.target.wants/duplicity-drill@*].freeze
# Of the plugins' own, for the user in the examples.
REMEMBERED = "/var/tmp/check-duplicity-#{`id -u backup`.chomp}"
READER = 'import json, sys; from check_duplicity.jobs import job_file; ' \
         'print(json.dumps({k: f.value for k, f in job_file.load(*sys.argv[1:]).facts.items()}))'

def run(*command)
  output, status = Open3.capture2e({ 'LC_ALL' => 'C.UTF-8' }, *command, chdir: '/', stdin_data: '')
  [status.exitstatus, output]
end

def allowed?(*command, as: 'nagios', user: 'backup')
  run('sudo', '-n', '-l', '-U', as, '-u', user, *command).first.zero?
end

def read_job(name)
  JSON.parse(run("#{BIN}/python", '-I', '-c', READER, name, JOBS).last)
end

def nrpe_pid
  File.exist?(NRPE_PID) && run('kill', '-0', File.read(NRPE_PID).chomp).first.zero? && File.read(NRPE_PID).to_i
end

describe 'The examples' do # rubocop:disable RSpec/DescribeClass
  before(:context) do
    there = MADE.flat_map { |pattern| Dir[pattern] }
    raise "#{there.join(', ')} is there already, and is left alone: test on another machine" unless there.empty?

    @nrpe = nrpe_pid
    @places = MADE.flat_map { |pattern| Dir["#{File.dirname(pattern)}/*"] } + Dir['/run/nagios', REMEMBERED]
    @work = Dir.mktmpdir('check_duplicity')
    File.chmod(0o755, @work)
    FileUtils.mkdir_p(["#{@work}/modules", "#{@work}/source"])
    File.symlink(MODULE, "#{@work}/modules/check_duplicity")
    FileUtils.cp_r(%w[docs lib plugins setup.cfg setup.py pyproject.toml README.rst LICENSE].map { |name| "#{PROJECT}/#{name}" }, "#{@work}/source")
    FileUtils.cp("#{MODULE}/examples/hiera.yaml", @work)
    data_from("#{@work}/source")
  end

  after(:context) do
    if @work
      started = nrpe_pid
      Process.kill('TERM', started) if started && started != @nrpe
      MADE.each { |pattern| FileUtils.rm_rf(Dir[pattern]) }
      FileUtils.rm_rf(['/run/nagios', REMEMBERED] - @places)
      FileUtils.rm_rf(@work)
    end
  end

  # The example's data, with the project where it is here, and a destination that surely isn't there.
  def data_from(source)
    text = File.read("#{MODULE}/examples/data.yaml")
    text.sub!('/usr/local/src/check-duplicity', source) && text.sub!('/srv/backups/assets', nowhere)
    File.write("#{@work}/data.yaml", text)
  end

  def nowhere
    "#{@work}/nowhere"
  end

  def apply(example, *options)
    run('puppet', 'apply', '--color=false', '--detailed-exitcodes', '--strict=error', '--strict_variables',
        '--modulepath', "#{@work}/modules", '--confdir', "#{@work}/conf", '--vardir', "#{@work}/var", *options,
        "#{MODULE}/examples/#{example}")
  end

  # 2: something was changed, 0: nothing, all else: something failed.
  def expect_applied_once(*arguments)
    [2, 0].each do |expected|
      status, output = apply(*arguments)
      expect(status).to eq(expected), output
      expect(output).not_to include('secret')
    end
  end

  it 'install the plugins from the project, make the jobs that Hiera has, and start NRPE' do
    expect_applied_once('hiera.pp', '--hiera_config', "#{@work}/hiera.yaml")
    expect(nrpe_pid).to be > 1
  end

  it 'install again when the source is another one' do
    FileUtils.mv("#{@work}/source", "#{@work}/newer")
    data_from("#{@work}/newer")
    expect_applied_once('hiera.pp', '--hiera_config', "#{@work}/hiera.yaml")
  end

  it 'install again what has gone' do
    FileUtils.rm_rf(Dir['/opt/check-duplicity/lib/python3*'])
    expect_applied_once('hiera.pp', '--hiera_config', "#{@work}/hiera.yaml")
  end

  it "make files that are root's, and that the plugins read as they were meant" do
    expect(run('find', '/opt/check-duplicity', '/etc/check-duplicity', '!', '-user', 'root').last).to be_empty
    expect(run('find', '/opt/check-duplicity', '/etc/check-duplicity', '!', '-type', 'l', '-perm', '/022').last).to be_empty
    expect(read_job('assets')).to eq(
      'user' => 'backup', 'destination' => "file://#{nowhere}", 'schedule' => '0 2 * * *', 'encryption' => 'no',
      'drill_volumes' => '8', 'drill_paths' => "etc/passwd 'srv/a file'"
    )
    expect(read_job('db')).to eq(
      'user' => 'root', 'destination' => 'sftp://backup:secret@backup.example.org//srv/db',
      'options' => "'--ssh-options=-oPort=2222 -oBatchMode=yes'"
    )
  end

  it 'keep the files of jobs from others' do
    expect(run('sudo', '-n', '-u', 'backup', 'cat', "#{JOBS}/assets.ini").first).to eq(0)
    expect(run('sudo', '-n', '-u', 'backup', 'cat', "#{JOBS}/db.ini").first).to eq(1)
    expect(run('sudo', '-n', '-u', 'nagios', 'cat', "#{JOBS}/assets.ini").first).to eq(1)
  end

  it 'allow four commands for each job' do
    %w[freshness process log restore].each do |check|
      expect(allowed?("#{BIN}/check_duplicity_#{check}", '-j', 'assets')).to be(true)
      expect(allowed?("#{BIN}/check_duplicity_#{check}", '-j', 'db', user: 'root')).to be(true)
    end
  end

  it 'allow one command for the host, without any argument' do
    expect(allowed?("#{BIN}/check_duplicity_jobs", user: 'root')).to be(true)
    [['-v'], ['--ignore', 'x'], ['--state-file', '/etc/shadow'], ['']].each do |more|
      expect(allowed?("#{BIN}/check_duplicity_jobs", *more, user: 'root')).to be(false), more.inspect
    end
    command = File.read('/etc/nagios/nrpe.d/check_duplicity.cfg')[/^command\[check_duplicity_jobs\]=(.*)$/, 1]
    expect(run('sudo', '-n', '-u', 'nagios', 'sh', '-c', command).last).to start_with('DUPLICITY JOBS ')
  end

  it 'allow nothing else' do
    check = "#{BIN}/check_duplicity_freshness"
    expect(allowed?(check, '-j', 'assets', user: 'root')).to be(false)
    expect(allowed?(check, '-j', 'assets', as: 'nobody')).to be(false)
    [
      [check], [check, '-j'], [check, '-j', 'db'], [check, '-j', 'assets2'], [check, '-j', 'asset'], [check, '-jassets'],
      [check, '--job', 'assets'], [check, '-v', '-j', 'assets'], [check, '-j', 'assets', '-v'], [check, '-j', 'assets', ''],
      [check, '-j', 'assets', '--jobs-dir', '/tmp'], [check, '--jobs-dir', '/tmp', '-j', 'assets'],
      [check, '-j', 'assets', '--duplicity', '/bin/sh'], [check, '-j', 'assets', '--', '--x'], [check, '-j', 'assets db'],
      ["#{BIN}/duplicity_triage", '-j', 'assets'], ["#{BIN}/duplicity_drill", '-j', 'assets'], ["#{BIN}/python"], ['/bin/sh'], ["#{BIN}/../bin/sh", '-j', 'assets']
    ].each { |command| expect(allowed?(*command)).to be(false), command.inspect }
  end

  it 'give NRPE commands that work, as its user' do
    commands = File.read('/etc/nagios/nrpe.d/check_duplicity_assets.cfg').scan(/^command\[(.*?)\]=(.*)$/).to_h
    expect(commands.keys).to eq(%w[freshness process log restore].map { |check| "check_duplicity_#{check}_assets" })
    said = commands.values.map { |command| run('sudo', '-n', '-u', 'nagios', 'sh', '-c', command) }
    expect(said.map(&:first)).to eq([2, 0, 3, 3])
    expect(said[0].last).to match(/\ADUPLICITY FRESHNESS CRITICAL - .*#{nowhere}/)
    expect(said[1].last).to start_with('DUPLICITY PROCESS OK - ')
    expect(said[2].last).to start_with('DUPLICITY LOG UNKNOWN - ')
    expect(said[3].last).to start_with('DUPLICITY RESTORE UNKNOWN - ')
  end

  it 'are answered by NRPE' do
    check_nrpe = '/usr/lib/nagios/plugins/check_nrpe'
    skip 'needs nagios-nrpe-plugin' unless File.exist?(check_nrpe)
    status, output = run(check_nrpe, '-H', '127.0.0.1', '-t', '35', '-c', 'check_duplicity_process_assets')
    expect([status, output]).to match([0, start_with('DUPLICITY PROCESS OK - ')])
  end

  it "have cron drill a job by root's line, which runs as it stands there" do
    line = File.readlines(CRON).last
    expect(line).to match(/\A30 4 \* \* sun root nice -n 19 ionice -c 3 #{BIN}\/duplicity_drill -j assets > /)
    expect(run('sh', '-c', line[/nice .*-j assets/]).last).to match(/^DUPLICITY DRILL (?!OK)/)
  end

  it 'define jobs in a manifest' do
    expect_applied_once('nrpe.pp')
    expect(File).not_to exist(CRON)
    expect(read_job('db')).to include('destination' => 'file:///srv/100% safe; really', 'options' => '--file-prefix db-')
  end

  it 'have systemd drill a job, for which it takes the units' do
    skip 'needs systemd-analyze' unless system('command -v systemd-analyze > /dev/null')
    expect(File.readlink("#{UNITS}/timers.target.wants/duplicity-drill@db.timer")).to end_with('/duplicity-drill@.timer')
    units = %w[service timer].map { |kind| "#{UNITS}/duplicity-drill@db.#{kind}" }
    expect(File.read("#{units[0]}.d/puppet.conf")).to include("ExecStart=#{BIN}/duplicity_drill -j db -t 2h\n")
    expect(run('systemd-analyze', 'verify', '--man=no', *units).last).not_to match(/duplicity/)
  end

  it "have no use for NRPE if Icinga 2's agent asks" do
    expect_applied_once('icinga2.pp')
    expect(File).not_to exist('/etc/nagios/nrpe.d/check_duplicity_assets.cfg')
    expect(allowed?("#{BIN}/check_duplicity_log", '-j', 'assets')).to be(true)
  end

  it 'go away again, and leave nothing' do
    expect_applied_once('absent.pp')
    expect(MADE.flat_map { |pattern| Dir["#{File.dirname(pattern)}/*"] } - @places).to be_empty
    expect(Dir["#{@work}/var/**/*"].select { |path| File.file?(path) && File.binread(path).include?('backup:secret') }).to be_empty
  end
end
