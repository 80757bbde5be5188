# @summary One line of text: no control characters, no blank at its ends.
type Check_duplicity::Line = Pattern[/\A(?!(?m:.*)[[:cntrl:]\u2028\u2029])(?![[:space:]]).+(?<![[:space:]])\z/]
