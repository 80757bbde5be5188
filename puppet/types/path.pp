# @summary The absolute path of a file or a directory.
type Check_duplicity::Path = Pattern[/\A(?!(?m:.*)[[:cntrl:]\u2028\u2029])\/.*(?<![[:space:]])\z/]
