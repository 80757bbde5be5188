# @summary One line of text: no control characters, no blank at its ends.
type Check_duplicity::Line = Pattern[/\A[^[:cntrl:][:space:]](?:[^[:cntrl:]\u2028\u2029]*[^[:cntrl:][:space:]])?\z/]
