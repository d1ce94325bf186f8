// Generated from packages/abi/src/schema.ts by packages/abi/gen.ts; do not edit.
export const ABI_VERSION = 1 as const;
/** Quote-currency amounts are scaled by 10 to this. */
export const MONEY_DIGITS = 8 as const;
export const QUALITY = {"stale":1,"gap":2,"dup":4,"out_of_order":8,"clock_drift":16} as const;
/** Numbers of an execution's `reason`; the list may grow. */
export const REFUSAL = {"none":0,"outside":1,"intent":2,"limit":3,"rate":4,"restricted":5,"changed":6} as const;
export const ORDER_OPTIONS = {"reduce_only":1,"post_only":2} as const;
export const STATUS = {"bad_frame":-1,"bad_abi_version":-2,"not_initialised":-3,"output_overflow":-4,"strategy_error":-5,"unsupported":-6,"state_refused":-7,"config_refused":-8,"exception":-9} as const;
export const CALLBACK = {"init":1,"event":2,"timer":3,"shutdown":4,"healthcheck":5,"save_state":6,"migrate_state":7} as const;
export const ABI_LIMITS = {"log_line_bytes":1024,"service_request_bytes":16384,"error_text_bytes":4096,"batch_frames":4096,"book_levels":10000,"instruments":1024} as const;
export const NO_INSTRUMENT = 4294967295 as const;
export const MISSING_U32 = 4294967295 as const;
export const MISSING_I64 = -1 as const;
