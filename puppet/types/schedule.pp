# @summary Five fields of cron, or @daily and its kin. @reboot has no times, so it is none.
type Check_duplicity::Schedule = Variant[
  Enum['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'],
  Pattern[/\A(?:(?:\*|(?:\d{1,2}|[A-Za-z]{3})(?:-(?:\d{1,2}|[A-Za-z]{3}))?)(?:\/\d{1,2})?(?:,(?:\*|(?:\d{1,2}|[A-Za-z]{3})(?:-(?:\d{1,2}|[A-Za-z]{3}))?)(?:\/\d{1,2})?)*(?: +(?!\z)|\z)){5}\z/]
]
