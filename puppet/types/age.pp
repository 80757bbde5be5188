# @summary An age as the checks take it: 32h, 1d8h, seconds, or a Nagios range of these: @1d:2d.
type Check_duplicity::Age = Variant[
  Integer[0, 999999999999],
  Pattern[/\A@?(?:~:|(?:(?:~|\d{1,12}(?:\.\d{1,6})?|(?:\d{1,12}(?:\.\d{1,6})?[smhdw])+)?:)?(?:\d{1,12}(?:\.\d{1,6})?|(?:\d{1,12}(?:\.\d{1,6})?[smhdw])+)|(?:\d{1,12}(?:\.\d{1,6})?|(?:\d{1,12}(?:\.\d{1,6})?[smhdw])+):)\z/]
]
