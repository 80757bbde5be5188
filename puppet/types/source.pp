# @summary What pip can install: a directory, a file, a URL, or a requirement; no option.
type Check_duplicity::Source = Pattern[/\A(?!(?m:.*)[[:cntrl:]\u2028\u2029])(?![[:space:]-]).+(?<![[:space:]])\z/]
