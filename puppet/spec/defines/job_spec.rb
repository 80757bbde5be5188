# frozen_string_literal: true

require 'spec_helper'

describe 'check_duplicity::job' do
  let(:title) { 'assets' }
  let(:params) { { user: 'govuk-backup' } }
  let(:pre_condition) { "class { 'check_duplicity': install => 'none', plugin_dir => '/opt/cd/bin' }" }

  ini = '/etc/check-duplicity/jobs.d/assets.ini'
  sudoers = '/etc/sudoers.d/check_duplicity_assets'
  checks = %w[freshness process log restore]

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

      it 'allows exactly the four commands' do
        rules = checks.map { |check| "#{monitor} ALL=(govuk-backup) NOPASSWD: /opt/cd/bin/check_duplicity_#{check} -j assets\n" }
        is_expected.to contain_file(sudoers).with(
          ensure: 'file', owner: 'root', group: 'root', mode: '0440', validate_cmd: '/usr/sbin/visudo -cf %',
          content: "# Puppet writes this file.\n#{rules.join}",
        ).that_requires("File[#{ini}]")
      end

      it 'gives NRPE the same four' do
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
          rules = [monitor, icinga].uniq.map { |user| "^#{user} ALL=[^\n]*\n" * checks.size }.join
          is_expected.to contain_file(sudoers).with_content(/\A#[^\n]*\n#{rules}\z/)
        end
      end

      context 'with ensure => absent' do
        let(:params) { { user: 'govuk-backup', ensure: 'absent' } }

        [ini, sudoers, cfg].each { |path| it { is_expected.to contain_file(path).with_ensure('absent') } }

        it 'takes its timer and its line of cron away, whichever it had' do
          is_expected.to contain_exec('check_duplicity drill of assets is not waited for').with(
            command: %r{\Arm -f /etc/systemd/system/timers.target.wants/duplicity-drill@assets.timer && .*systemctl stop duplicity-drill@assets.timer},
            onlyif: 'test -L /etc/systemd/system/timers.target.wants/duplicity-drill@assets.timer',
          )
          %w[service timer].each do |kind|
            is_expected.to contain_file("/etc/systemd/system/duplicity-drill@assets.#{kind}.d").with(ensure: 'absent', force: true)
          end
          is_expected.to contain_file('/etc/cron.d/check_duplicity_drill_assets').with_ensure('absent')
          is_expected.not_to contain_class('check_duplicity::units')
        end
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
        started: 'elsewhere',
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
        restore_warning: '10d',
        restore_critical: '3w',
        proved_warning: '50:',
        proved_critical: 1,
        lookback: '9d',
        drill: { paths: ['etc/passwd', "srv/it's here"], volumes: 8, budget: '1.5G', tempdir: '/srv/my tmp' },
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
        started = elsewhere
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
        restore_warning = 10d
        restore_critical = 3w
        proved_warning = 50:
        proved_critical = 1
        lookback = 9d
        drill_paths = etc/passwd 'srv/it'"'"'s here'
        drill_volumes = 8
        drill_budget = 1.5G
        drill_tempdir = /srv/my tmp
      INI
    end
  end

  describe 'its metrics' do
    units = '/etc/systemd/system'

    it 'leaves a timer alone that somebody has enabled' do
      is_expected.not_to contain_check_duplicity__metrics('duplicity-metrics@assets')
      is_expected.not_to contain_check_duplicity__metrics('duplicity-metrics-jobs')
    end

    context 'with a directory' do
      let(:pre_condition) { "class { 'check_duplicity': install => 'none', plugin_dir => '/opt/cd/bin', metrics => '/srv/text' }" }

      it { is_expected.to compile.with_all_deps }

      it 'has each check write a file, where the plugins are' do
        lines = checks.map do |check|
          "ExecStart=/opt/cd/bin/check_duplicity_#{check} -j assets --format openmetrics" \
            " --write /srv/text/duplicity-#{check}-assets.prom\n"
        end
        is_expected.to contain_file("#{units}/duplicity-metrics@assets.service.d/puppet.conf").with(
          owner: 'root', group: 'root', mode: '0644',
          content: "# Puppet writes this file.\n[Service]\nEnvironment=DIRECTORY=/srv/text\nExecStart=\n#{lines.join}",
        ).that_notifies('Exec[check_duplicity units]')
      end

      it 'has one for all jobs of the host' do
        is_expected.to contain_file("#{units}/duplicity-metrics-jobs.service.d/puppet.conf").with_content(
          %r{^ExecStart=/opt/cd/bin/check_duplicity_jobs --format openmetrics --write /srv/text/duplicity-jobs.prom$},
        )
      end

      %w[duplicity-metrics@assets duplicity-metrics-jobs].each do |name|
        it "has #{name} enabled once, and started only where systemd runs" do
          is_expected.to contain_check_duplicity__metrics(name).with_ensure('present')
          is_expected.to contain_exec("check_duplicity #{name} is enabled").with(
            command: "systemctl enable --quiet #{name}.timer",
            unless: "test -L #{units}/timers.target.wants/#{name}.timer",
          ).that_requires('Class[check_duplicity::units]')
          is_expected.to contain_exec("check_duplicity #{name} is waited for")
            .with(onlyif: "test -d /run/systemd/system && ! systemctl is-active --quiet #{name}.timer")
        end
      end

      it 'brings the units, unless the package does' do
        %w[duplicity-metrics@ duplicity-metrics-jobs].product(%w[service timer]).each do |name, kind|
          is_expected.to contain_file("#{units}/#{name}.#{kind}").with_ensure('file')
        end
      end
    end

    context 'without them any more' do
      let(:pre_condition) { "class { 'check_duplicity': install => 'none', plugin_dir => '/opt/cd/bin', metrics => 'absent' }" }

      it 'takes the timers away' do
        %w[duplicity-metrics@assets duplicity-metrics-jobs].each do |name|
          is_expected.to contain_exec("check_duplicity #{name} is not waited for")
            .with_onlyif("test -L #{units}/timers.target.wants/#{name}.timer")
          is_expected.to contain_file("#{units}/#{name}.service.d").with(ensure: 'absent', force: true)
        end
      end
    end
  end

  describe 'its drills' do
    units = '/etc/systemd/system'
    cron = '/etc/cron.d/check_duplicity_drill_assets'

    context 'without a word about them' do
      it 'leaves a timer alone that somebody has enabled' do
        is_expected.not_to contain_check_duplicity__timer('assets')
        is_expected.not_to contain_class('check_duplicity::units')
      end
    end

    context 'with nothing but the wish' do
      let(:params) { { user: 'govuk-backup', drill: {} } }

      it { is_expected.to compile.with_all_deps }

      it { is_expected.to contain_check_duplicity__timer('assets').with_ensure('present') }
      it { is_expected.to contain_class('check_duplicity::units') }

      it 'waits for a week, in any case' do
        is_expected.to contain_file("#{units}/duplicity-drill@assets.timer.d/puppet.conf").with(
          owner: 'root', group: 'root', mode: '0644',
          content: "# Puppet writes this file.\n[Timer]\nOnCalendar=\nOnCalendar=weekly\nRandomizedDelaySec=6h\n",
        ).that_notifies('Exec[check_duplicity units]').that_requires("File[#{ini}]")
      end

      it 'runs the program where it is' do
        is_expected.to contain_file("#{units}/duplicity-drill@assets.service.d/puppet.conf").with(
          owner: 'root', group: 'root', mode: '0644',
          content: "# Puppet writes this file.\n[Service]\nExecStart=\nExecStart=/opt/cd/bin/duplicity_drill -j assets\n",
        ).that_notifies('Exec[check_duplicity units]')
      end

      it 'is enabled once, and started only where systemd runs' do
        is_expected.to contain_exec('check_duplicity drill of assets is enabled').with(
          command: 'systemctl enable --quiet duplicity-drill@assets.timer',
          unless: "test -L #{units}/timers.target.wants/duplicity-drill@assets.timer",
        ).that_requires(['Class[check_duplicity::units]', "File[#{units}/duplicity-drill@assets.timer.d/puppet.conf]"])
        is_expected.to contain_exec('check_duplicity drill of assets is waited for').with(
          command: 'systemctl start duplicity-drill@assets.timer',
          onlyif: 'test -d /run/systemd/system && ! systemctl is-active --quiet duplicity-drill@assets.timer',
        ).that_requires('Exec[check_duplicity drill of assets is enabled]')
      end

      it 'heeds another calendar' do
        is_expected.to contain_exec('check_duplicity drill of assets has another calendar')
          .with(refreshonly: true, command: 'systemctl restart duplicity-drill@assets.timer')
          .that_subscribes_to("File[#{units}/duplicity-drill@assets.timer.d/puppet.conf]")
          .that_requires('Exec[check_duplicity units]')
      end

      it 'brings the units, since the plugins come otherwise' do
        %w[service timer].each do |kind|
          is_expected.to contain_file("#{units}/duplicity-drill@.#{kind}").with(
            ensure: 'file', owner: 'root', mode: '0644', source: "puppet:///modules/check_duplicity/duplicity-drill@.#{kind}",
          )
        end
        is_expected.to contain_exec('check_duplicity units').with(command: 'systemctl daemon-reload', refreshonly: true)
      end

      it 'has no line of cron' do
        is_expected.to contain_file(cron).with_ensure('absent')
      end

      context 'from the package' do
        let(:pre_condition) { 'include check_duplicity' }

        it 'takes its units and its program' do
          is_expected.to contain_file("#{units}/duplicity-drill@.service").with_ensure('absent')
          is_expected.to contain_file("#{units}/duplicity-drill@.timer").with_ensure('absent')
          is_expected.to contain_file("#{units}/duplicity-drill@assets.service.d/puppet.conf")
            .with_content(%r{^ExecStart=/usr/bin/duplicity_drill -j assets$}).that_requires('Package[check-duplicity]')
        end
      end

      context 'from elsewhere than the plugins' do
        let(:pre_condition) { "class { 'check_duplicity': install => 'none', program_dir => '/usr/local/bin' }" }

        it { is_expected.to contain_file("#{units}/duplicity-drill@assets.service.d/puppet.conf").with_content(%r{^ExecStart=/usr/local/bin/duplicity_drill -j}) }
      end
    end

    context 'on a day, with a time' do
      let(:params) { { user: 'b', drill: { calendar: 'Sun *-*-* 04:00:00', delay: 0, timeout: 5400 } } }

      it { is_expected.to contain_file("#{units}/duplicity-drill@assets.timer.d/puppet.conf").with_content(/^OnCalendar=Sun \*-\*-\* 04:00:00\nRandomizedDelaySec=0$/) }

      it 'lets systemd wait a little longer than the drill itself' do
        is_expected.to contain_file("#{units}/duplicity-drill@assets.service.d/puppet.conf")
          .with_content(/ -j assets -t 5400\nTimeoutStartSec=5400s 5min\n\z/)
      end
    end

    context 'with a time in hours' do
      let(:params) { { user: 'b', drill: { timeout: '2h' } } }

      it { is_expected.to contain_file("#{units}/duplicity-drill@assets.service.d/puppet.conf").with_content(/ -t 2h\nTimeoutStartSec=2h 5min$/) }
    end

    context 'of a job with a sign in its name that no unit can have' do
      let(:title) { 'A+b@c-d' }
      let(:params) { { user: 'b', drill: {} } }

      it 'has it escaped in the names of its units, and nowhere else' do
        is_expected.to contain_check_duplicity__timer('A+b@c-d')
        escaped = 'duplicity-drill@A\x2bb@c-d'
        %w[service timer].each do |kind|
          is_expected.to contain_file("#{units}/#{escaped}.#{kind}.d").with_ensure('directory')
          is_expected.to contain_file("#{units}/#{escaped}.#{kind}.d/puppet.conf").with_ensure('file')
        end
        is_expected.to contain_file("#{units}/#{escaped}.service.d/puppet.conf").with_content(/ -j A\+b@c-d$/)
        ['is enabled', 'is waited for', 'has another calendar'].each do |what|
          is_expected.to contain_exec("check_duplicity drill of A+b@c-d #{what}").with_command(/ '#{Regexp.escape(escaped)}\.timer'\z/)
        end
      end
    end

    context 'by cron' do
      let(:params) { { user: 'b', drill: { provider: 'cron', weekday: 'sun', hour: 4, minute: '30', timeout: '2h' } } }

      it { is_expected.to compile.with_all_deps }

      it "is a line of root's, which mails nothing" do
        is_expected.to contain_file(cron).with(
          ensure: 'file', owner: 'root', group: 'root', mode: '0644',
          content: %r{^30 4 \* \* sun root nice -n 19 ionice -c 3 /opt/cd/bin/duplicity_drill -j assets -t 2h > /dev/null 2>&1\n\z},
        )
      end

      it 'has no timer' do
        is_expected.to contain_exec('check_duplicity drill of assets is not waited for')
        is_expected.to contain_file("#{units}/duplicity-drill@assets.timer.d").with_ensure('absent')
      end

      it 'finds a time by itself' do
        params[:drill] = { provider: 'cron' }
        is_expected.to contain_file(cron).with_content(/^[0-5]?\d [0-5] \* \* 1 root /)
      end

      context 'with signs in its name that cron takes in no name of a file' do
        let(:title) { 'A+b@c-d' }

        it { is_expected.to contain_file('/etc/cron.d/check_duplicity_drill_A_b_c-d').with_content(/ -j A\+b@c-d -t 2h /) }
        it { is_expected.to contain_exec('check_duplicity drill of A+b@c-d is not waited for').with_onlyif(/'[^']*@A\\x2bb@c-d\.timer'\z/) }
      end
    end

    context 'no more' do
      let(:params) { { user: 'b', drill: { ensure: 'absent' } } }

      it { is_expected.to contain_file(cron).with_ensure('absent') }
      it { is_expected.to contain_file("#{units}/duplicity-drill@assets.service.d").with(ensure: 'absent', force: true, backup: false) }
      it { is_expected.to contain_file(ini).with_ensure('file') }
    end

    context 'with what is for the other' do
      it "takes no hour of cron's for a timer" do
        params[:drill] = { hour: 4, minute: 0 }
        is_expected.to compile.and_raise_error(/job assets: drill has minute, hour, which is for cron, and not for systemd/)
      end

      it "takes no calendar of systemd's for cron" do
        params[:drill] = { provider: 'cron', calendar: 'weekly' }
        is_expected.to compile.and_raise_error(/job assets: drill has calendar, which is for systemd, and not for cron/)
      end
    end
  end

  context 'with what lies in logs and in the journal' do
    let(:params) { { user: 'b', mail: ['/var/log/web-*.log', 'journal:backup@web.service', 'journal:tag=bk,/srv/journal'] } }

    it { is_expected.to contain_file(ini).with_content(sensitive(%r{^mail = '/var/log/web-\*\.log' journal:backup@web\.service journal:tag=bk,/srv/journal$})) }
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
    mail: ['', 'mail', "/m\n/n", [], ['/m', "/n\n"], 'journal:', 'journal:a b', "journal:a\n", 'journal:a,b'],
    options: ['', "--a 'b", '--a "b', '--a \\', "--a\n--b", [], ["a\nb"], [' a']],
    duplicity: ['duplicity', "/d\n", '', '/d "'],
    environment_file: ['env', "/e\n"],
    encryption: ['', 'maybe', 'Yes'],
    started: ['', 'by hand', true],
    warning: ['', '1y', '-1', 'soon', '1h 2h', "1h\n", '@', ':', '~', '1:2:3', '1h:~', -1],
    lookback: ['8 d'],
    shrunk_warning: ['', 0, 101, '50%', 'None', "50\n"],
    source_size_warning: ['', '10GB', '10g', ':', '1G:2G:3G', -1, "5\n"],
    chain_warning: ['', '2d', ':', '1:2:3', -1, '~', "5\n"],
    proved_warning: ['', '50%', -1],
    restore_critical: ['soon', -1],
    drill: [
      true, { 'when' => 'weekly' }, { 'ensure' => 'running' }, { 'provider' => 'at' }, { 'calendar' => '' }, { 'calendar' => "weekly\nUser=x" },
      { 'calendar' => '%i' }, { 'delay' => '-1' }, { 'delay' => "6h\n" }, { 'timeout' => 0 }, { 'timeout' => '0h' }, { 'timeout' => '2h; id' },
      { 'timeout' => '1y' }, { 'hour' => 24 }, { 'minute' => '* *' }, { 'weekday' => "1\n" }, { 'volumes' => 0 }, { 'budget' => '10GB' }, { 'budget' => '0' },
      { 'tempdir' => 'tmp' }, { 'paths' => [] }, { 'paths' => "a\nb" }, { 'paths' => [''] }
    ],
  }.each do |parameter, values|
    values.each do |value|
      context "with #{value.inspect} as #{parameter}" do
        let(:params) { { user: 'b', parameter => value } }

        it { is_expected.to compile.and_raise_error(/parameter '#{parameter}'/) }
      end
    end
  end
end
