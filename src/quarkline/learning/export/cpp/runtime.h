namespace detail {

struct Scale {
  char kind;  // 'l' for a logarithm, 'x' for the value itself, '-' for no scaling
  double offset, mean, deviation;
};

struct Layer {
  const float* kernel;  // outputs x inputs
  const float* bias;
  std::size_t inputs, outputs;
};

struct Lstm {
  const float* kernel;     // 4 nodes x inputs, gates in the order i, f, g, o
  const float* recurrent;  // 4 nodes x nodes
  const float* bias;       // 4 nodes
  std::size_t inputs, nodes;
};

struct Objects {
  const float* values;  // count x features
  std::size_t count, features;
};

// What stands for a value in the network: 0 if it is missing.
inline float scaled(const Scale& scale, float value) {
  if (std::isnan(value)) return 0.0f;
  if (scale.kind == '-') return std::isinf(value) ? 0.0f : value;
  double x = value;
  if (scale.kind == 'l') {
    x += scale.offset;
    if (!(x > 0)) return static_cast<float>(-reach);
    x = std::log(x);
  }
  x = (x - scale.mean) / scale.deviation;
  return static_cast<float>(std::min(std::max(x, -reach), reach));
}

inline void multiply_add(const float* matrix, const float* in, std::size_t inputs,
                         std::size_t outputs, float* out) {
  for (std::size_t row = 0; row < outputs; ++row) {
    float sum = 0.0f;
    for (std::size_t column = 0; column < inputs; ++column)
      sum += matrix[row * inputs + column] * in[column];
    out[row] += sum;
  }
}

// The layer for each of `count` rows.
inline std::vector<float> dense(const Layer& layer, const std::vector<float>& in,
                                std::size_t count, bool rectified) {
  std::vector<float> out(count * layer.outputs);
  for (std::size_t row = 0; row < count; ++row) {
    float* own = out.data() + row * layer.outputs;
    std::copy(layer.bias, layer.bias + layer.outputs, own);
    multiply_add(layer.kernel, in.data() + row * layer.inputs, layer.inputs, layer.outputs, own);
    if (rectified)
      for (std::size_t k = 0; k < layer.outputs; ++k) own[k] = std::max(own[k], 0.0f);
  }
  return out;
}

inline float logistic(float x) { return 1.0f / (1.0f + std::exp(-x)); }

// States at each of `count` steps, each at its step's place, forwards or backwards.
inline void states(const Lstm& lstm, const std::vector<float>& in, std::size_t count,
                   bool backwards, float* out, std::size_t stride) {
  const std::size_t n = lstm.nodes;
  std::vector<float> state(n), cell(n), z(4 * n);
  for (std::size_t step = 0; step < count; ++step) {
    const std::size_t at = backwards ? count - 1 - step : step;
    std::copy(lstm.bias, lstm.bias + 4 * n, z.begin());
    multiply_add(lstm.kernel, in.data() + at * lstm.inputs, lstm.inputs, 4 * n, z.data());
    multiply_add(lstm.recurrent, state.data(), n, 4 * n, z.data());
    for (std::size_t k = 0; k < n; ++k) {
      cell[k] = logistic(z[n + k]) * cell[k] + logistic(z[k]) * std::tanh(z[2 * n + k]);
      state[k] = logistic(z[3 * n + k]) * std::tanh(cell[k]);
    }
    std::copy(state.begin(), state.end(), out + at * stride);
  }
}

// What the LSTMs of a stream make of `count` rows: states behind the last one of each direction.
inline std::vector<float> read(const std::vector<Lstm>& lstms, std::size_t directions,
                               std::vector<float> rows, std::size_t count) {
  const std::size_t nodes = lstms.back().nodes, width = directions * nodes;
  for (std::size_t first = 0; first < lstms.size(); first += directions) {
    std::vector<float> found(count * width);
    for (std::size_t direction = 0; direction < directions; ++direction)
      states(lstms[first + direction], rows, count, direction == 1,
             found.data() + direction * nodes, width);
    rows.swap(found);
  }
  std::vector<float> ends(width, 0.0f);
  if (count == 0) return ends;
  for (std::size_t direction = 0; direction < directions; ++direction) {
    const float* end = rows.data() + (direction == 1 ? 0 : (count - 1) * width) + direction * nodes;
    std::copy(end, end + nodes, ends.begin() + direction * nodes);
  }
  return ends;
}

inline std::vector<float> mean(const std::vector<float>& rows, std::size_t count,
                               std::size_t width) {
  std::vector<float> sum(width, 0.0f);
  for (std::size_t row = 0; row < count; ++row)
    for (std::size_t k = 0; k < width; ++k) sum[k] += rows[row * width + k];
  for (float& each : sum) each /= static_cast<float>(count ? count : 1);
  return sum;
}

// One group of objects to one vector; places up to `padded` without an object are rows of zeros.
inline std::vector<float> stream(const Objects& objects, const std::vector<Scale>& scales,
                                 const std::vector<Layer>& layers, const std::vector<Lstm>& lstms,
                                 std::size_t directions, std::size_t padded) {
  const std::size_t count = std::max(objects.count, padded);
  std::vector<float> rows(count * objects.features, 0.0f);
  for (std::size_t k = 0; k < objects.count * objects.features; ++k)
    rows[k] = scaled(scales[k % objects.features], objects.values[k]);
  for (const Layer& layer : layers) rows = dense(layer, rows, count, true);
  if (lstms.empty()) return mean(rows, count, layers.back().outputs);
  return read(lstms, directions, rows, count);
}

template <std::size_t features>
Objects first(const std::vector<std::array<float, features>>& objects, std::size_t most) {
  return {objects.empty() ? nullptr : objects[0].data(), std::min(objects.size(), most), features};
}

inline void append(std::vector<float>& all, const std::vector<float>& more) {
  all.insert(all.end(), more.begin(), more.end());
}

template <std::size_t size>
std::array<float, size> softmax(const std::vector<float>& in) {
  const float largest = *std::max_element(in.begin(), in.end());
  std::array<float, size> out;
  float sum = 0.0f;
  for (std::size_t k = 0; k < size; ++k) sum += out[k] = std::exp(in[k] - largest);
  for (float& each : out) each /= sum;
  return out;
}

}  // namespace detail
