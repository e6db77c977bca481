const words = (text) => new Set(text.trim().split(/\s+/));

/**
 * Built-in functions that look at nothing but their arguments. Nothing here reads files, settings, catalogues or other
 * sessions, runs SQL that it is given, sleeps, locks, or changes anything.
 */
export const FUNCTIONS = words(`
  count sum avg min max every bool_and bool_or bit_and bit_or bit_xor any_value string_agg array_agg json_agg jsonb_agg
  json_object_agg jsonb_object_agg stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp
  regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy percentile_cont
  percentile_disc mode rank dense_rank percent_rank cume_dist
  row_number ntile lag lead first_value last_value nth_value
  lower upper initcap length char_length character_length octet_length bit_length substring substr left right position
  strpos concat concat_ws replace translate reverse split_part btrim ltrim rtrim trim lpad rpad repeat ascii chr md5
  encode decode overlay starts_with regexp_replace regexp_match regexp_matches regexp_split_to_array
  regexp_split_to_table regexp_count regexp_like regexp_substr regexp_instr string_to_array string_to_table
  array_to_string to_hex normalize unaccent like_escape similar_to_escape similarity word_similarity
  to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd ts_headline
  abs ceil ceiling floor round trunc sign sqrt cbrt power pow exp ln log log10 mod div gcd lcm degrees radians pi random
  sin cos tan cot asin acos atan atan2 width_bucket scale trim_scale numeric int4 int8 float8 bool text
  now clock_timestamp statement_timestamp transaction_timestamp age date_part date_trunc date_bin extract date timezone
  make_date make_time make_timestamp make_timestamptz make_interval justify_days justify_hours justify_interval
  isfinite overlaps to_char to_date to_timestamp to_number
  array_length array_lower array_upper array_ndims cardinality array_position array_positions array_append array_prepend
  array_cat array_remove array_replace trim_array unnest generate_series generate_subscripts
  to_json to_jsonb row_to_json array_to_json json_build_object jsonb_build_object json_build_array jsonb_build_array
  json_object jsonb_object json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text
  json_array_length jsonb_array_length json_each jsonb_each json_each_text jsonb_each_text json_object_keys
  jsonb_object_keys json_extract_path jsonb_extract_path json_extract_path_text jsonb_extract_path_text json_typeof
  jsonb_typeof json_strip_nulls jsonb_strip_nulls jsonb_pretty jsonb_path_query jsonb_path_query_array
  jsonb_path_query_first jsonb_path_exists jsonb_path_match json_to_record jsonb_to_record json_to_recordset
  jsonb_to_recordset jsonb_set jsonb_exists
  lower_inc upper_inc isempty int4range int8range numrange daterange tsrange tstzrange gen_random_uuid
`);

/** Their second argument has to be a small number that is written out. */
export const PADDING_FUNCTIONS = words('lpad rpad repeat');

/** Types to cast to: values, never names of things in the database (regclass and its kin resolve those). */
export const TYPES = words(`
  bool boolean int2 int4 int8 smallint int integer bigint float4 float8 real numeric decimal money text varchar bpchar
  char character citext uuid date time timetz timestamp timestamptz interval json jsonb jsonpath bytea bit varbit inet
  cidr macaddr tsvector tsquery int4range int8range numrange daterange tsrange tstzrange point
`);
