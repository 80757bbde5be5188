# @summary A destination as duplicity takes it: SCHEME://..., and after file:// an absolute path.
# lint:ignore:140chars
type Check_duplicity::Url = Pattern[/\A(?!(?m:.*)[[:cntrl:]\u2028\u2029])(?!(?:par2\+)?file:\/\/[^\/])[A-Za-z][A-Za-z0-9+.-]*:\/\/.*[^[:space:]]\z/]
# lint:endignore
