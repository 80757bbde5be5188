# @summary Write words as a shell would read them, each in single quotes if it needs any.
# @api private
#
# @param words A text that is written like that already, or the words.
#
# @return [String] the words on one line
function check_duplicity::words(Variant[String, Array[String]] $words) >> String {
  $words ? {
    String  => $words,
    default => $words.map |$word| {
      $word ? {
        /\A[A-Za-z0-9_@%+=:,.\/-]+\z/ => $word,
        default                       => "'${regsubst($word, '\'', '\'"\'"\'', 'G')}'",
      }
    }.join(' '),
  }
}
