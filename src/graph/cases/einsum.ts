// How each row of einsum is tried.
import { einsum as sum } from "../catalogue/einsum.js";
import type { Case, Cases } from "./case.js";

const of = (subscripts: string, ...shapes: string[]): Case => ({
  inputs: shapes.map((shape) => `T ${shape}`),
  call: (...xs) => sum(subscripts, ...xs),
});

export const einsum: Cases = {
  einsum: [
    of("ij,jk->ik", "3,4", "4,2"),
    of("ij,kj", "3,4", "2,4"),
    of("bhqd,bhkd->bhqk", "2,2,3,4", "2,2,5,4"),
    of("i,j->ji", "3", "4"),
    of("ii->i", "3,3"),
    of("iji", "3,2,3"),
    of("ij->", "3,4"),
    of("...ij,...jk->...ik", "2,3,4", "4,2"),
    of("a...,a->...", "3,2,4", "3"),
    of("ab,bc,cd->ad", "2,3", "3,4", "4,2"),
    of("ij,ij->i", "3,4", "1,4"),
    of("i,i", "4", "4"),
    of("abc,bad->dc", "2,3,4", "3,2,2"),
  ],
};
