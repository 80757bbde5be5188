# frozen_string_literal: true

require 'spec_helper'

describe 'check_duplicity' do
  context "on Debian's family" do
    let(:facts) { facts_of('Debian') }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_class('check_duplicity::install').that_comes_before('Class[check_duplicity::config]') }
    it { is_expected.to contain_class('check_duplicity::config') }
    it { is_expected.to contain_class('check_duplicity::nrpe') }
    it { is_expected.to contain_class('check_duplicity::inventory') }
    it { is_expected.to contain_package('check-duplicity').with_ensure('installed') }

    it "makes directories that are root's, as the plugins demand" do
      %w[/etc/check-duplicity /etc/check-duplicity/jobs.d].each do |path|
        is_expected.to contain_file(path).with(ensure: 'directory', owner: 'root', group: 'root', mode: '0755')
      end
    end

    it 'lets the monitoring see which jobs there are, as root and without any argument' do
      is_expected.to contain_file('/etc/sudoers.d/check_duplicity').with(
        ensure: 'file', owner: 'root', group: 'root', mode: '0440', validate_cmd: '/usr/sbin/visudo -cf %',
        content: "# Puppet writes this file.\nnagios ALL=(root) NOPASSWD: /usr/lib/nagios/plugins/check_duplicity_jobs \"\"\n",
      ).that_requires('Class[check_duplicity::install]')
      is_expected.to contain_file('/etc/nagios/nrpe.d/check_duplicity.cfg').with(
        ensure: 'file', owner: 'root', group: 'root', mode: '0644',
        content: "# Puppet writes this file.\ncommand[check_duplicity_jobs]=/usr/bin/sudo -n -u root /usr/lib/nagios/plugins/check_duplicity_jobs\n",
      ).that_requires('File[/etc/sudoers.d/check_duplicity]')
    end

    context 'with jobs that are none of ours' do
      let(:params) { { ignored_jobs: ['old', '/usr/local/bin/other.py'], monitoring_users: %w[nagios icinga] } }

      it 'has the same words in the rules and in the command' do
        words = 'check_duplicity_jobs --ignore old --ignore /usr/local/bin/other.py'
        is_expected.to contain_file('/etc/sudoers.d/check_duplicity').with_content(
          /^nagios ALL=\(root\) NOPASSWD: \S+#{words}\nicinga ALL=\(root\) NOPASSWD: \S+#{words}\n\z/,
        )
        is_expected.to contain_file('/etc/nagios/nrpe.d/check_duplicity.cfg').with_content(/#{words}\n\z/)
      end
    end

    context 'asked by Icinga 2 only' do
      let(:params) { { asked_by: ['icinga2'] } }

      it { is_expected.to contain_file('/etc/nagios/nrpe.d/check_duplicity.cfg').with_ensure('absent') }
      it { is_expected.to contain_file('/etc/sudoers.d/check_duplicity').with_ensure('file') }
    end

    it 'leaves NRPE alone' do
      is_expected.not_to contain_package('nagios-nrpe-server')
      is_expected.not_to contain_service('nagios-nrpe-server')
    end

    context 'with manage_nrpe' do
      let(:params) { { manage_nrpe: true } }

      it { is_expected.to contain_package('nagios-nrpe-server').that_comes_before('Service[nagios-nrpe-server]') }
      it { is_expected.to contain_service('nagios-nrpe-server').with(ensure: 'running', enable: true) }
      it { is_expected.to contain_file('/etc/nagios/nrpe.d/check_duplicity.cfg').that_notifies('Service[nagios-nrpe-server]') }
    end
  end

  context "on Red Hat's family" do
    let(:facts) { facts_of('RedHat') }

    it 'says that something to install must be given' do
      is_expected.to compile.and_raise_error(/install => virtualenv needs source: a directory/)
    end

    context 'with a source' do
      let(:params) { { source: '/srv/check-duplicity', manage_nrpe: true } }

      it { is_expected.to compile.with_all_deps }
      it { is_expected.to contain_package('nrpe') }
      it { is_expected.to contain_file('/etc/nrpe.d/check_duplicity.cfg').with_content(%r{ -u root /opt/check-duplicity/bin/check_duplicity_jobs$}) }
      it { is_expected.to contain_service('nrpe').with(ensure: 'running', enable: true) }
      it { is_expected.not_to contain_package('python3-venv') }
      it { is_expected.to contain_exec('check_duplicity virtualenv').with_command('/usr/bin/python3 -m venv /opt/check-duplicity') }
    end

    context 'with plugins that come otherwise' do
      let(:params) { { install: 'none', jobs: { 'web' => { 'user' => 'backup' } } } }

      it { is_expected.to contain_file('/etc/nrpe.d/check_duplicity_web.cfg').with_content(%r{/usr/lib64/nagios/plugins/check_duplicity_log -j web$}) }
    end
  end

  context 'with a virtual environment' do
    let(:params) { { install: 'virtualenv', source: "/srv/it's here" } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_package('python3-venv').that_comes_before('Exec[check_duplicity virtualenv]') }

    it 'is made so that all users can read it, whatever the umask' do
      is_expected.to contain_exec('check_duplicity virtualenv').with_umask('022')
      is_expected.to contain_exec('check_duplicity plugins').with_umask('022')
    end

    it 'is given the source as one word' do
      is_expected.to contain_exec('check_duplicity plugins')
        .with_command(%r{\A/opt/check-duplicity/bin/python -m pip install --quiet --upgrade "/srv/it's here" && })
        .that_requires('Exec[check_duplicity virtualenv]')
    end

    it 'lets Python ignore the environment, which pip has undone' do
      is_expected.to contain_exec('check_duplicity plugins').with_command(
        %r{ && sed -i '1s/\^#!\.\*python\[\^ \]\*\$/& -I/' /opt/check-duplicity/bin/check_duplicity_\* /opt/check-duplicity/bin/duplicity_\*\z},
      )
    end

    it 'notes what it was made from when all is done' do
      is_expected.to contain_file('/opt/check-duplicity/source')
        .with(content: "/srv/it's here\n", owner: 'root').that_requires('Exec[check_duplicity plugins]')
    end

    it 'takes no option of pip for a source' do
      params[:source] = '--index-url=http://evil.example.org'
      is_expected.to compile.and_raise_error(/source/)
    end
  end

  context 'with another version of the package' do
    let(:params) { { package_name: 'python3-check-duplicity', package_ensure: '1.2.3-1' } }

    it { is_expected.to contain_package('python3-check-duplicity').with_ensure('1.2.3-1') }
  end

  context 'with jobs as Hiera has them' do
    let(:params) do
      {
        jobs: {
          'web' => { 'user' => 'backup', 'destination' => 'sftp://u:pw@host//srv', 'backup_schedule' => '@daily' },
          'db'  => { 'user' => 'root', 'options' => ['--file-prefix', 'db-'] },
        },
      }
    end

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_check_duplicity__job('web').with(user: 'backup', destination: sensitive('sftp://u:pw@host//srv')) }
    it { is_expected.to contain_check_duplicity__job('db').with_options(sensitive(['--file-prefix', 'db-'])) }

    it 'takes what Hiera says of drills' do
      params[:jobs]['web']['drill'] = { 'calendar' => 'Sun 04:00', 'volumes' => 8 }
      is_expected.to contain_file('/etc/systemd/system/duplicity-drill@web.timer.d/puppet.conf').with_content(/^OnCalendar=Sun 04:00$/)
      is_expected.to contain_file('/etc/systemd/system/duplicity-drill@web.service.d/puppet.conf').with_content(%r{^ExecStart=/usr/bin/duplicity_drill -j web$})
      ['is enabled', 'is waited for', 'has another calendar'].each { |what| is_expected.to contain_exec("check_duplicity drill of web #{what}") }
      is_expected.to contain_file('/etc/check-duplicity/jobs.d/web.ini').with_content(sensitive(/^drill_volumes = 8$/))
    end

    it 'shows no password of a destination that is none' do
      params[:jobs]['web']['destination'] = "sftp:/u:pw\n@host"
      is_expected.to compile.and_raise_error(/\A(?!.*pw).*'destination'/m)
    end

    it 'refuses a key that there is not' do
      params[:jobs]['db']['critcal'] = '32h'
      is_expected.to compile.and_raise_error(/no parameter named 'critcal'/)
    end

    it 'takes them all away with itself' do
      params[:ensure] = 'absent'
      is_expected.to contain_package('check-duplicity').with_ensure('absent')
      is_expected.to contain_file('/etc/check-duplicity').with(ensure: 'absent', force: true, backup: false)
      %w[/etc/sudoers.d/check_duplicity /etc/nagios/nrpe.d/check_duplicity.cfg].each { |path| is_expected.to contain_file(path).with_ensure('absent') }
      %w[web db].each do |job|
        is_expected.to contain_file("/etc/check-duplicity/jobs.d/#{job}.ini").with_ensure('absent')
        is_expected.to contain_file("/etc/sudoers.d/check_duplicity_#{job}").with_ensure('absent')
        is_expected.to contain_file("/etc/nagios/nrpe.d/check_duplicity_#{job}.cfg").with_ensure('absent')
        is_expected.to contain_check_duplicity__timer(job).with_ensure('absent')
        is_expected.to contain_exec("check_duplicity drill of #{job} is not waited for")
        is_expected.to contain_file("/etc/cron.d/check_duplicity_drill_#{job}").with_ensure('absent')
        %w[service timer].each { |kind| is_expected.to contain_file("/etc/systemd/system/duplicity-drill@#{job}.#{kind}.d").with_ensure('absent') }
        is_expected.to contain_check_duplicity__metrics("duplicity-metrics@#{job}").with_ensure('absent')
        is_expected.to contain_exec("check_duplicity duplicity-metrics@#{job} is not waited for")
        is_expected.to contain_file("/etc/systemd/system/duplicity-metrics@#{job}.service.d").with_ensure('absent')
      end
      %w[service timer].each { |kind| is_expected.to contain_file("/etc/systemd/system/duplicity-drill@.#{kind}").with_ensure('absent') }
    end
  end

  context 'without anything, from a virtual environment' do
    let(:params) { { ensure: 'absent', install: 'virtualenv' } }

    it { is_expected.to compile.with_all_deps }
    it { is_expected.to contain_file('/opt/check-duplicity').with(ensure: 'absent', force: true, backup: false) }
  end

  {
    plugin_dir: ['plugins', '/usr/lib/../bin', '/usr/lib/na gios', '/usr/lib/*', "/usr/lib\n/x", '/usr/lib;id', '/x%y', '/', '/x/', '/a,b'],
    nrpe_user: ['ALL', '%wheel', '#0', 'a b', "nagios\nroot", 'nagios,root', ''],
    virtualenv: ['opt', '/opt/a b', '/opt/$(id)'],
    asked_by: [[], ['nagios']],
    monitoring_users: [[], ['ALL'], ['nagios ALL=(ALL) NOPASSWD: ALL #']],
    install: ['pip'],
    ignored_jobs: [['a b'], ['-x'], [''], ['a,b'], ['/a b'], 'old'],
  }.each do |parameter, values|
    values.each do |value|
      context "with #{value.inspect} as #{parameter}" do
        let(:params) { { parameter => value } }

        it { is_expected.to compile.and_raise_error(/parameter '#{parameter}'/) }
      end
    end
  end
end
