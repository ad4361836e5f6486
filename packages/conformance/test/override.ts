/** The same object with some of its methods replaced; what is not replaced stays alive, getters included. */
export function override<Of extends object>(original: Of, changes: Partial<Of>): Of {
  return Object.setPrototypeOf({ ...changes }, original) as Of
}
