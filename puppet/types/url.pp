# @summary A destination as duplicity takes it: SCHEME://..., and after file:// an absolute path.
type Check_duplicity::Url = Pattern[/\A(?!(?:par2\+)?file:\/\/[^\/])[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^[:cntrl:]\u2028\u2029]*[^[:cntrl:][:space:]])\z/]
