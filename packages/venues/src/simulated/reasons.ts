/** Why the simulated exchange refuses or ends an order; the `reason_code` of its reports. */
export const VENUE_REASONS = {
  instrument: "M.VENUE.UNKNOWN_INSTRUMENT",
  price: "M.VENUE.PRICE",
  quantity: "M.VENUE.QUANTITY",
  too_many_orders: "M.VENUE.TOO_MANY_ORDERS",
  unknown_order: "M.VENUE.UNKNOWN_ORDER",
  order_closed: "M.VENUE.ORDER_CLOSED",
  duplicate: "M.VENUE.DUPLICATE",
  duplicate_differs: "M.VENUE.DUPLICATE_DIFFERS",
  post_only: "M.VENUE.POST_ONLY",
  reduce_only: "M.VENUE.REDUCE_ONLY",
  self_trade: "M.VENUE.SELF_TRADE",
  immediate: "M.VENUE.IMMEDIATE_OR_CANCEL",
  fill_or_kill: "M.VENUE.FILL_OR_KILL",
  amend_market: "M.VENUE.AMEND_MARKET",
  amend_filled: "M.VENUE.AMEND_BELOW_FILLED",
} as const;
export type VenueReason = (typeof VENUE_REASONS)[keyof typeof VENUE_REASONS];
