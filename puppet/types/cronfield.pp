# @summary One field of a line of cron's: 3, mon, 1-5, */2, 0,30.
type Check_duplicity::Cronfield = Pattern[/\A(?<some>(?:\*|(?<one>\d{1,2}|[A-Za-z]{3})(?:-\g<one>)?)(?:\/\d{1,2})?)(?:,\g<some>)*\z/]
