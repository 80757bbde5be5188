# @summary A program by its absolute path, and its arguments, if it has some.
type Check_duplicity::Command = Pattern[/\A\/(?:[^'"\\[:cntrl:]\u2028\u2029]|\\[^[:cntrl:]\u2028\u2029]|'[^'[:cntrl:]\u2028\u2029]*'|"(?:[^"\\[:cntrl:]\u2028\u2029]|\\[^[:cntrl:]\u2028\u2029])*")+(?<![[:space:]])\z/]
