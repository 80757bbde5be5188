# @summary A number of backup sets, or a Nagios range of these: 14, 2:30.
type Check_duplicity::Count = Variant[
  Integer[0, 999999999999],
  Pattern[/\A@?(?:~:|(?:(?:~|(?<number>\d{1,12}(?:\.\d{1,6})?))?:)?\g<number>|\g<number>:)\z/]
]
