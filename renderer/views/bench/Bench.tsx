/** The view. */
export function Bench() {
  return <h1>Bench</h1>;
}
