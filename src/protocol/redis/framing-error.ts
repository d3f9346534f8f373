/**
 * What can be wrong with bytes that are no Redis request; replies.ts has the words.
 */
export const FramingError = {
  None: 0,
  ArrayLength: 1,
  BulkLength: 2,
  ExpectedDollar: 3,
  ExpectedLineEnd: 4,
  InlineTooLong: 5,
  UnbalancedQuotes: 6,
  HttpRequest: 7,
  TooLarge: 8,
} as const;
export type FramingError = (typeof FramingError)[keyof typeof FramingError];
