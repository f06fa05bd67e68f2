/** The tab. */
export function WeightsTab() {
  return <h2>Weights</h2>;
}
