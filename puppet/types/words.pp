# @summary Words on one line as a shell would read them: quotes are closed.
type Check_duplicity::Words = Pattern[/\A(?![[:space:]])(?:[^'"\\[:cntrl:]\u2028\u2029]|\\[^[:cntrl:]\u2028\u2029]|'[^'[:cntrl:]\u2028\u2029]*'|"(?:[^"\\[:cntrl:]\u2028\u2029]|\\[^[:cntrl:]\u2028\u2029])*")+(?<![[:space:]])\z/]
