// docs/graph.md says what the catalogue says, docs/from-raven.md has all that Raven has and names only what is there.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { graphPage, PAGE } from "../../tools/graph-page.js";
import * as graph from "./index.js";
import { Expression } from "./index.js";

/** Raven's operators, as its table of functions names them. */
const LAYERS =
  "dense batchnorm1d batchnorm2d layernorm dropout activation conv2d flatten maxpool2d embedding concat add subtract dot reshape transpose power multiply division".split(
    " ",
  );
const RAVEN = [
  ..."lin add sub mul div pos neg exp natlog pow square cube square_root cube_root abs".split(" "),
  ..."matmul multiply dot transpose sum sort split reshape concat min max unique argmax argmin expand_dims inv gather reverse stack tile slice find_indices shape pad arange repeat index flatten ravel squeeze size zeros ravint set_value join_to_list combine_to_list clip prod cnn_index cnn_index_2 cnn_add_at".split(
    " ",
  ),
  ..."greater greater_equal less less_equal equal not_equal logical_and logical_or logical_not logical_xor".split(
    " ",
  ),
  ..."mean average mode variance median std percentile bincount random random_uniform sign z_score pearson_correlation normalize standardize".split(
    " ",
  ),
  ..."where foreach one_hot_encoding".split(" "),
  ..."linear_regression logistic_regression knn_classifier knn_regressor naive_bayes kmeans svm_svc svm_svr decision_tree_classifier decision_tree_regressor random_forest_classifier random_forest_regressor".split(
    " ",
  ),
  ..."start_backward_marker stop_backward_marker square_loss square_loss_gradient cross_entropy_loss cross_entropy_loss_gradient pytorch_model forward_pass federated_mean federated_variance federated_standard_deviation".split(
    " ",
  ),
  ...LAYERS.flatMap((layer) => [`forward_pass_${layer}`, `backward_pass_${layer}`]),
];

it("docs/graph.md is current; write it anew by npx tsx tools/graph-page.ts", () => {
  const page = readFileSync(PAGE, "utf8");
  expect(page).toBe(graphPage(page));
});

describe("docs/from-raven.md", () => {
  const page = readFileSync(new URL("../../docs/from-raven.md", import.meta.url), "utf8");
  const rows = page
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| Raven"))
    .map((line) => line.split(" | ") as [string, string]);
  // What a program and an expression have beside the catalogue's rows.
  const beside = new Set(["cost", "shape"]);
  // Functions of other floors.
  const others = new Set(["connect", "loadProgram"]);

  it("names only what there is", () => {
    let seen = 0;
    for (const [, ours] of rows) {
      for (const [, name] of ours.matchAll(/`\.(\w+)/g)) {
        seen++;
        expect(beside.has(name!) || name! in Expression.prototype, `.${name}`).toBe(true);
      }
      for (const [, name] of ours.matchAll(/`([a-z]\w+)\(/g)) {
        seen++;
        expect(name! in graph || others.has(name!), name).toBe(true);
      }
    }
    expect(seen).toBeGreaterThan(100);
  });

  it("has all of Raven's operators", () => {
    const theirs = new Set(rows.flatMap(([raven]) => [...raven.matchAll(/`(\w+)/g)].map(([, name]) => name)));
    expect(RAVEN.filter((name) => !theirs.has(name))).toEqual([]);
  });
});
