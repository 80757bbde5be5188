# @summary A program by its absolute path, and its arguments, if it has some.
# lint:ignore:140chars
type Check_duplicity::Command = Pattern[/\A(?!(?m:.*)[[:cntrl:]\u2028\u2029])(?=\/)(?:[^'\"\\]|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\")+(?<![[:space:]])\z/]
# lint:endignore
