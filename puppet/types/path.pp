# @summary The absolute path of a file or a directory.
type Check_duplicity::Path = Pattern[/\A\/(?:[^[:cntrl:]\u2028\u2029]*[^[:cntrl:][:space:]])?\z/]
