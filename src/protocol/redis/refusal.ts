/**
 * Why a complete request is not routed; the words of the error follow from it (local-replies.ts).
 */
export const Refusal = { None: 0, Command: 1, ArgumentCount: 2, NoKeys: 3, Keys: 4 } as const;
export type Refusal = (typeof Refusal)[keyof typeof Refusal];
