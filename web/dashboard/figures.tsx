// Numbers of the hub with their names. `data-figure` names the count, for whoever reads the page by program.
export interface Figure {
  readonly name: string;
  readonly figure?: string;
  readonly value: string;
  readonly bad?: boolean;
}

export function Figures({ figures }: { readonly figures: readonly Figure[] }) {
  return (
    <dl class="figures card">
      {figures.map(({ name, figure, value, bad }) => (
        <div class={bad ? "figure bad" : "figure"}>
          <dt>{name}</dt>
          <dd data-figure={figure}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
