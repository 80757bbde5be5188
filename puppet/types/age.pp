# @summary An age as the checks take it: 32h, 1d8h, seconds, or a Nagios range of these: @1d:2d.
type Check_duplicity::Age = Variant[
  Integer[0, 999999999999],
  Pattern[/\A@?(?:~:|(?:(?:~|(?<age>(?:(?<number>\d{1,12}(?:\.\d{1,6})?)[smhdw])+|\g<number>))?:)?\g<age>|\g<age>:)\z/]
]
