# frozen_string_literal: true

require 'spec_helper'

describe 'check_duplicity::job' do
  let(:title) { 'assets' }
  let(:params) { { user: 'govuk-backup' } }
  let(:pre_condition) { "class { 'check_duplicity': install => 'none', plugin_dir => '/opt/cd/bin' }" }

  ini = '/etc/check-duplicity/jobs.d/assets.ini'
  sudoers = '/etc/sudoers.d/check_duplicity_assets'
  checks = %w[freshness process log]

  { 'Debian' => ['/etc/nagios/nrpe.d', 'nagios', 'nagios-nrpe-server', 'nagios'],
    'RedHat' => ['/etc/nrpe.d', 'nrpe', 'nrpe', 'icinga'] }.each do |family, (nrpe_dir, monitor, service, icinga)|
    context "on #{family}'s family" do
      let(:facts) { facts_of(family) }

      cfg = "#{nrpe_dir}/check_duplicity_assets.cfg"

      it { is_expected.to compile.with_all_deps }

      it 'lets the group of the job read its file, and nobody else' do
        is_expected.to contain_file(ini).with(
          ensure: 'file', owner: 'root', group: 'govuk-backup', mode: '0640', show_diff: false, backup: false,
          content: sensitive("# Puppet writes this file.\n[job]\nuser = govuk-backup\n"),
        )
      end

      it 'allows exactly the three commands' do
        rules = checks.map { |check| "#{monitor} ALL=(govuk-backup) NOPASSWD: /opt/cd/bin/check_duplicity_#{check} -j assets\n" }
        is_expected.to contain_file(sudoers).with(
          ensure: 'file', owner: 'root', group: 'root', mode: '0440', validate_cmd: '/usr/sbin/visudo -cf %',
          content: "# Puppet writes this file.\n#{rules.join}",
        ).that_requires("File[#{ini}]")
      end

      it 'gives NRPE the same three' do
        commands = checks.map do |check|
          "command[check_duplicity_#{check}_assets]=" \
            "/usr/bin/sudo -n -u govuk-backup /opt/cd/bin/check_duplicity_#{check} -j assets\n"
        end
        is_expected.to contain_file(cfg).with(
          ensure: 'file', owner: 'root', group: 'root', mode: '0644', content: "# Puppet writes this file.\n#{commands.join}",
        ).that_requires("File[#{sudoers}]")
      end

      context 'when Puppet manages NRPE' do
        let(:pre_condition) { "class { 'check_duplicity': install => 'none', manage_nrpe => true }" }

        it { is_expected.to contain_file(cfg).that_requires("Package[#{service}]").that_notifies("Service[#{service}]") }
      end

      context "when another module manages NRPE's service" do
        let(:pre_condition) { "class { 'check_duplicity': install => 'none' }\nservice { '#{service}': ensure => running }" }

        it { is_expected.to contain_file(cfg).that_notifies("Service[#{service}]") }
        it { is_expected.to contain_service(service) }
      end

      context "when only Icinga 2's agent asks" do
        let(:pre_condition) { "class { 'check_duplicity': install => 'none', asked_by => ['icinga2'] }" }

        it { is_expected.to contain_file(cfg).with_ensure('absent') }
        it { is_expected.to contain_file(sudoers).with_ensure('file').with_content(/^#{icinga} ALL=\(govuk-backup\) NOPASSWD: /) }
      end

      context 'when both ask' do
        let(:pre_condition) { "class { 'check_duplicity': install => 'none', asked_by => ['nrpe', 'icinga2'] }" }

        it 'allows each user once' do
          rules = [monitor, icinga].uniq.map { |user| "^#{user} ALL=[^\n]*\n" * 3 }.join
          is_expected.to contain_file(sudoers).with_content(/\A#[^\n]*\n#{rules}\z/)
        end
      end

      context 'with ensure => absent' do
        let(:params) { { user: 'govuk-backup', ensure: 'absent' } }

        [ini, sudoers, cfg].each { |path| it { is_expected.to contain_file(path).with_ensure('absent') } }
      end
    end
  end

  context 'with monitoring users of its own' do
    let(:pre_condition) { "class { 'check_duplicity': install => 'none', monitoring_users => ['mon', 'nagios'] }" }

    it { is_expected.to contain_file(sudoers).with_content(/^mon ALL=/).with_content(/^nagios ALL=/) }
  end

  context 'with plugins in a virtual environment' do
    let(:pre_condition) { "class { 'check_duplicity': install => 'virtualenv', source => '/srv/x', virtualenv => '/opt/v' }" }

    it { is_expected.to contain_file(sudoers).with_content(%r{NOPASSWD: /opt/v/bin/check_duplicity_log -j assets$}) }
    it { is_expected.to contain_file('/opt/v/source').that_comes_before("File[#{ini}]") }
  end

  context 'of root' do
    let(:params) { { user: 'root' } }

    it { is_expected.to contain_file(sudoers).with_content(/^nagios ALL=\(root\) NOPASSWD: /) }
    it { is_expected.to contain_file(ini).with_group('root') }
  end

  context 'with all there is' do
    let(:params) do
      {
        user: 'govuk-backup',
        group: 'backup',
        script: '/var/spool/duplicity/assets.sh',
        destination: sensitive('rsync://u:p%40;w@host//srv/50% of it'),
        archive_dir: '/data/my cache',
        backup_name: 'assets;x',
        backup_schedule: '0 2 * * mon-fri',
        time_zone: 'Europe/London',
        mail: ['/var/mail/govuk-backup', "/var/log/it's/a log"],
        options: sensitive(['--file-prefix', 'web-', '--ssh-options=-oPort=22 -v', "'"]),
        duplicity: '/opt/duplicity/bin/duplicity',
        environment_file: '/etc/duplicity.env',
        encryption: 'required',
        warning: '32h',
        critical: '2d8h',
        full_warning: '@1d:2d',
        full_critical: 2_764_800,
        chain_warning: 14,
        chain_critical: '2:30',
        fulls_warning: '2:',
        fulls_critical: 1,
        history_warning: '30d:',
        history_critical: '1w:',
        shrunk_warning: 30,
        shrunk_critical: 'none',
        source_size_warning: '10G:',
        source_size_critical: '1.5T',
        backup_size_warning: '500M',
        backup_size_critical: 5_000_000_000,
        duration_warning: '6h',
        duration_critical: '12h',
        errors_warning: 5,
        errors_critical: '~:100',
        process_warning: '6h',
        process_critical: '12h',
        stalled_warning: '30m',
        stalled_critical: '1.5h',
        lookback: '9d',
      }
    end

    it 'writes each under its name' do
      is_expected.to contain_file(ini).with_group('backup').with_content(sensitive(<<~'INI'))
        # Puppet writes this file.
        [job]
        user = govuk-backup
        script = /var/spool/duplicity/assets.sh
        destination = rsync://u:p%40;w@host//srv/50% of it
        archive_dir = /data/my cache
        name = assets;x
        schedule = 0 2 * * mon-fri
        time_zone = Europe/London
        mail = /var/mail/govuk-backup '/var/log/it'"'"'s/a log'
        options = --file-prefix web- '--ssh-options=-oPort=22 -v' ''"'"''
        duplicity = /opt/duplicity/bin/duplicity
        environment_file = /etc/duplicity.env
        encryption = required
        warning = 32h
        critical = 2d8h
        full_warning = @1d:2d
        full_critical = 2764800
        chain_warning = 14
        chain_critical = 2:30
        fulls_warning = 2:
        fulls_critical = 1
        history_warning = 30d:
        history_critical = 1w:
        shrunk_warning = 30
        shrunk_critical = none
        source_size_warning = 10G:
        source_size_critical = 1.5T
        backup_size_warning = 500M
        backup_size_critical = 5000000000
        duration_warning = 6h
        duration_critical = 12h
        errors_warning = 5
        errors_critical = ~:100
        process_warning = 6h
        process_critical = 12h
        stalled_warning = 30m
        stalled_critical = 1.5h
        lookback = 9d
      INI
    end
  end

  context 'with a mailbox in one text, and options as in a shell' do
    let(:params) { { user: 'b', mail: '/var/mail/my box', options: "--file-prefix 'a b'" } }

    it { is_expected.to contain_file(ini).with_content(sensitive(/^mail = '\/var\/mail\/my box'\noptions = --file-prefix 'a b'\n\z/)) }
  end

  { true => 'yes', false => 'no' }.each do |given, written|
    context "with #{given}, which YAML makes of #{written}" do
      let(:params) { { user: 'b', encryption: given } }

      it { is_expected.to contain_file(ini).with_content(sensitive(/^encryption = #{written}$/)) }
    end
  end

  context 'with a password in something that is no URL' do
    let(:params) { { user: 'b', destination: sensitive("sftp:/u:pw\n@host") } }

    it { is_expected.to compile.and_raise_error(/\A(?!.*pw).*'destination'/m) }
  end

  %w[web_1 A+b@c-d 9 @x].each do |name|
    context "named #{name}" do
      let(:title) { name }

      it { is_expected.to contain_file("/etc/sudoers.d/check_duplicity_#{name}").with_content(/ -j #{Regexp.escape(name)}$/) }
      it { is_expected.to contain_file("/etc/check-duplicity/jobs.d/#{name}.ini") }
      it { is_expected.to contain_file("/etc/nagios/nrpe.d/check_duplicity_#{name}.cfg") }
    end
  end

  ['www.example.org', '../x'].each do |name|
    context "named #{name}" do
      let(:title) { name }

      it { is_expected.to compile.and_raise_error(/'#{name}' can't be the name of a job: a dot can't be in it, since sudo/) }
    end
  end

  ['-x', 'a b', '/x', 'a/b', "a\nnagios ALL=(ALL) NOPASSWD: ALL", 'a*', 'a;b', 'a]=x', 'ä', 'a' * 101, "a\n", 'a$b', 'a,b'].each do |name|
    context "named #{name.inspect}" do
      let(:title) { name }

      it { is_expected.to compile.and_raise_error(/can't be the name of a job: letters, digits/) }
    end
  end

  context "with Puppet's own schedule for the job's" do
    let(:params) { { user: 'b', schedule: '0 2 * * *' } }

    it { is_expected.to compile.and_raise_error(/job assets: the job's schedule is given as backup_schedule/) }
  end

  context "with Puppet's own name for the job's" do
    let(:params) { { user: 'b', name: 'other' } }

    it { is_expected.to compile.and_raise_error(/job assets: the job's --name is given as backup_name/) }
  end

  context "with a schedule of Puppet's" do
    let(:params) { { user: 'b', schedule: 'maintenance' } }
    let(:pre_condition) { "class { 'check_duplicity': install => 'none' }\nschedule { 'maintenance': range => '2 - 4' }" }

    it { is_expected.to compile }
    it { is_expected.to contain_schedule('maintenance') }
  end

  {
    user: ['', 'ALL', 'Root', '%wheel', '#0', 'a b', 'a,b', "a\nb", "a\n", 'root)', '-u', '!root'],
    group: ['', 'a b', "a\n"],
    script: ['backup.sh', "/x\n[job]", "/x 'open", '', ' /x', '/x '],
    destination: ['', '/srv', 'host:/srv', 'file:/srv', 'file://srv/x', "file:///x\nuser = root", "file:///x\u2028y", 'file:///x ',
                  "sftp://a\tb", 'sftp://', '://x'],
    archive_dir: ['cache', '~/.cache', "/x\ny", '/x ', ''],
    backup_name: ['', " x", "x\ny", "x\r"],
    backup_schedule: ['', 'daily', '@reboot', '0 2 * *', '0 2 * * * *', '0 2 * * * /bin/x', "0 2 * * *\n", '0 2 * * %', '0 2 * * mon-', '0 2 * * ,'],
    time_zone: ['', '../etc/passwd', "UTC\n", 'Europe/', '/UTC'],
    mail: ['', 'mail', "/m\n/n", [], ['/m', "/n\n"]],
    options: ['', "--a 'b", '--a "b', '--a \\', "--a\n--b", [], ["a\nb"], [' a']],
    duplicity: ['duplicity', "/d\n", '', '/d "'],
    environment_file: ['env', "/e\n"],
    encryption: ['', 'maybe', 'Yes'],
    warning: ['', '1y', '-1', 'soon', '1h 2h', "1h\n", '@', ':', '~', '1:2:3', '1h:~', -1],
    lookback: ['8 d'],
    shrunk_warning: ['', 0, 101, '50%', 'None', "50\n"],
    source_size_warning: ['', '10GB', '10g', ':', '1G:2G:3G', -1, "5\n"],
    chain_warning: ['', '2d', ':', '1:2:3', -1, '~', "5\n"],
  }.each do |parameter, values|
    values.each do |value|
      context "with #{value.inspect} as #{parameter}" do
        let(:params) { { user: 'b', parameter => value } }

        it { is_expected.to compile.and_raise_error(/parameter '#{parameter}'/) }
      end
    end
  end
end
