# @summary Words on one line as a shell would read them: quotes are closed.
# lint:ignore:140chars
type Check_duplicity::Words = Pattern[/\A(?!(?m:.*)[[:cntrl:]\u2028\u2029])(?![[:space:]])(?:[^'\"\\]|\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\")+(?<![[:space:]])\z/]
# lint:endignore
