// The mark: three birds.
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 64 48" aria-hidden="true">
      <path class="bird one" d="M4 26q9-10 17 2q8-12 17-2" />
      <path class="bird two" d="M33 12q6-6.500 11 1.500q5-8 11-1.500" />
      <path class="bird three" d="M32 40q6-6.500 11 1.500q5-8 11-1.500" />
    </svg>
  );
}
