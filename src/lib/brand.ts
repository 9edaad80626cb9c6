/** A string that was checked once, at the door; past it the type says what it is. */
declare const BRAND: unique symbol;
export type Brand<T, Name extends string> = T & { readonly [BRAND]: Name };
