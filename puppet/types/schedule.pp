# @summary Five fields of cron, or @daily and its kin; several with semicolons between them, or `every 6h`. Not @reboot: it has no times.
type Check_duplicity::Schedule = Variant[
  Enum['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'],
  Pattern[/\Aevery [1-9]\d{0,4}[mhD]\z/],
  Pattern[/\A(?<all>(?<n>(?<x>(?:\*|(?<y>\d{1,2}|[A-Za-z]{3})(?:-\g<y>)?)(?:\/\d{1,2})?)(?:,\g<x>)*)(?: +\g<n>){4})(?:; +\g<all>)*\z/]
]
