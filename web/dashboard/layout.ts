// What the page and the thread that lays graphs out say to each other.
export interface LayoutOrder {
  readonly key: string;
  readonly groups: readonly { readonly number: number; readonly after: readonly number[] }[];
}

export interface Layout {
  readonly key: string;
  readonly width: number;
  readonly height: number;
  /** Upper left corners. */
  readonly places: ReadonlyMap<number, { readonly x: number; readonly y: number }>;
  readonly edges: readonly { readonly from: number; readonly to: number; readonly path: string }[];
}

export const BOX = { width: 92, height: 34 };
