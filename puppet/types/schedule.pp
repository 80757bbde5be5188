# @summary Five fields of cron, or @daily and its kin. @reboot has no times, so it is none.
type Check_duplicity::Schedule = Variant[
  Enum['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'],
  Pattern[/\A(?<field>(?<some>(?:\*|(?<one>\d{1,2}|[A-Za-z]{3})(?:-\g<one>)?)(?:\/\d{1,2})?)(?:,\g<some>)*)(?: +\g<field>){4}\z/]
]
