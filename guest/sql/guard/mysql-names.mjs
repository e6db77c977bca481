const words = (text) => new Set(text.trim().split(/\s+/));

/**
 * Built-in functions of MySQL and MariaDB that look at nothing but their arguments. Nothing here reads files, variables
 * or the session, sleeps, locks, or changes anything.
 */
export const FUNCTIONS = words(`
  count sum avg min max group_concat bit_and bit_or bit_xor std stddev stddev_pop stddev_samp variance var_pop var_samp
  json_arrayagg json_objectagg any_value grouping
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
  ascii bin char char_length character_length concat concat_ws elt field find_in_set format hex unhex insert instr lcase
  left length locate lower lpad ltrim mid oct octet_length bit_length ord position repeat replace reverse right rpad
  rtrim strcmp substr substring substring_index trim ucase upper soundex quote
  regexp_like regexp_replace regexp_substr regexp_instr md5 sha1 sha2 crc32 to_base64 from_base64
  abs acos asin atan atan2 ceil ceiling conv cos cot degrees exp floor ln log log10 log2 mod pi pow power radians rand
  round sign sin sqrt tan truncate greatest least interval
  adddate addtime convert_tz curdate current_date current_time current_timestamp curtime date date_add date_format
  date_sub datediff day dayname dayofmonth dayofweek dayofyear from_days from_unixtime get_format hour last_day localtime
  localtimestamp makedate maketime microsecond minute month monthname now period_add period_diff quarter sec_to_time
  second str_to_date subdate subtime time time_format time_to_sec timediff timestamp timestampadd timestampdiff to_days
  to_seconds unix_timestamp utc_date utc_time utc_timestamp week weekday weekofyear year yearweek
  if ifnull nullif coalesce isnull nvl nvl2
  json_array json_object json_extract json_unquote json_value json_query json_contains json_contains_path json_keys
  json_length json_depth json_type json_valid json_search json_overlaps json_quote json_exists json_merge_patch
  json_merge_preserve json_set json_remove json_pretty
  uuid inet_aton inet_ntoa
`);

/** Their second argument has to be a small number that is written out. */
export const PADDING_FUNCTIONS = words('lpad rpad repeat');

/** Every key that the tree of a reading statement may have; sqlparser's names. */
export const KEYS = words(`
  Query with body order_by limit_clause LimitOffset limit offset OffsetCommaLimit value limit_by rows kind Expressions expr options asc
  nulls_first
  Select distinct projection UnnamedExpr ExprWithAlias alias Wildcard QualifiedWildcard ObjectName selection from joins
  relation join_operator Join Inner Left LeftOuter Right RightOuter CrossJoin On Using group_by having named_window
  WindowSpec NamedWindow partition_by window_frame units start_bound end_bound Preceding Following CurrentRow
  window_name window_before_qualify flavor SetOperation op set_quantifier left right Values explicit_row value_keyword content
  Table name columns explicit Derived lateral subquery NestedJoin table_with_joins
  Identifier CompoundIdentifier quote_style Value Number SingleQuotedString Boolean HexStringLiteral
  SingleQuotedByteStringLiteral long
  BinaryOp UnaryOp Nested Subquery InSubquery InList list negated Exists Between low high Like any pattern escape_char
  RLike regexp IsNull IsNotNull IsTrue IsNotTrue IsFalse IsNotFalse IsUnknown IsNotUnknown AnyOp AllOp compare_op
  is_some Case operand conditions condition result else_result Tuple Collate collation Cast Convert is_try charset
  styles target_before_value data_type array Extract field syntax Ceil Floor DateTimeField Position in Substring
  substring_from substring_for special shorthand Trim trim_where trim_what trim_characters Interval leading_field
  leading_precision last_field fractional_seconds_precision TypedString MatchAgainst match_value opt_search_modifier
  Function uses_odbc_syntax args List duplicate_treatment clauses OrderBy Separator Limit Unnamed Expr over
  parameters null_treatment
  Char Varchar Decimal Numeric Datetime Time Timestamp Binary Float Double Integer Int Date Signed Unsigned JSON
  IntegerLength length unit PrecisionAndScale Precision
  end_token top_before_distinct
`);
