# frozen_string_literal: true

require 'spec_helper'

# What is refused is tested where it matters: with the parameters of the class and of the jobs.
{
  'Age' => %w[0 90 32h 1d8h ~:32h 32h: :5 @1d:2d @5 ~: 1.5h 10m:2h @~:1] + [3600],
  'Count' => ['14', '2:30', '~:5', '@2:3', '5:', '~:', ':5', 14],
  'Schedule' => ['0 2 * * *', '*/5 1,2 1-7 jan mon-fri', '0  2 * * 7', '@daily', '0-30/10,45 2 * * *',
                 '0 3 * * 0; 0 3 * * 1-6', 'every 6h'],
  'Url' => ['file:///srv', 'par2+file:///srv', 'rsync://u@h//p', 'boto3+s3://b/p', 's3:///x', 'rclone://r:/p', 'sftp://u:p w@h/x', 'b2://a:b@c'],
  'Command' => ['/usr/bin/duplicity', '/usr/bin/env A="b c" duplicity'],
  'Timezone' => %w[UTC Europe/London America/Argentina/Buenos_Aires Etc/GMT+1],
  'Source' => ['check-duplicity==1.0', '/srv/it', '/srv/x.whl', 'check-duplicity @ https://example.org/x.zip'],
  'Plainpath' => ['/usr/lib64/nagios/plugins', '/opt/a.b/..c', '/x'],
  'Calendar' => ['weekly', 'Sun 04:00', 'Mon..Fri *-*-* 22:30:00 Europe/London', '*-*~01 04:00', '*:0/15', 'Sat *-*-1..7 18:00'],
  'Duration' => ['90', '20m', '2h', '1d12h', '0.5h', 90],
  'Cronfield' => %w[3 mon 1-5 */2 0,30 *],
  'Account' => %w[nagios _x backup-1 a.b],
}.each do |type, values|
  describe "Check_duplicity::#{type}" do
    values.each { |value| it { is_expected.to allow_value(value) } }
  end
end
