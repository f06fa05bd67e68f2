/** The view. */
export function Inspect() {
  return <h1>Inspect</h1>;
}
