#include "convert/partition.h"

#include <algorithm>
#include <numeric>

#include <ATen/ATen.h>

namespace ladimo {
namespace {

constexpr int kmeans_iterations = 12;

/// Squared distances [n, clusters], up to a constant per point.
at::Tensor distances(const at::Tensor& points, const at::Tensor& centres) {
  return centres.square().sum(1).unsqueeze(0) - 2 * at::mm(points, centres.t());
}

at::Tensor mean_of_clusters(const at::Tensor& points, const std::vector<int>& owner, int clusters) {
  const auto index = at::tensor(std::vector<std::int64_t>(owner.begin(), owner.end())).to(points.device());
  const auto sums = at::zeros({clusters, points.size(1)}, points.options()).index_add_(0, index, points);
  return sums * (static_cast<double>(clusters) / static_cast<double>(points.size(0)));
}

/// k-means++ seeding. Each centre is drawn in proportion to the squared distance from the nearest earlier
/// centre.
at::Tensor seed_centres(const at::Tensor& points, int clusters, Random& random) {
  const auto n = points.size(0);
  const auto norms = points.square().sum(1);
  std::vector<std::int64_t> chosen = {static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(n)))};
  auto nearest = at::full({n}, 1e30, points.options());
  while (static_cast<int>(chosen.size()) < clusters) {
    const auto centre = points[chosen.back()];
    nearest = at::minimum(nearest, (norms + centre.square().sum() - 2 * at::mv(points, centre)).clamp_min(0));
    const auto cumulative = nearest.to(at::kCPU, at::kDouble).cumsum(0);
    const double target = random.uniform() * cumulative[n - 1].item<double>();
    const auto at_target = at::searchsorted(cumulative, target).item<std::int64_t>();
    chosen.push_back(std::min(at_target, n - 1));
  }
  return points.index_select(0, at::tensor(chosen).to(points.device()));
}

/// Distances of all points to all clusters, and a balanced assignment that is improved step by step.
class Assignment {
 public:
  Assignment(const at::Tensor& distance, int clusters)
      : table_(distance.to(at::kCPU, at::kFloat).contiguous()),
        cost_(table_.data_ptr<float>()),
        points_(static_cast<int>(distance.size(0))),
        clusters_(clusters),
        least_gain_(1e-5F * table_.abs().mean().item<float>()),
        owner_(static_cast<std::size_t>(points_)) {}

  std::vector<int> solve() {
    assign_by_regret();
    exchange_pairs();
    return owner_;
  }

 private:
  float cost(int point, int cluster) const {
    return cost_[static_cast<std::ptrdiff_t>(point) * clusters_ + cluster];
  }

  /// Points that lose most without their nearest cluster choose first.
  void assign_by_regret() {
    std::vector<float> regret(static_cast<std::size_t>(points_));
    std::vector<int> order(static_cast<std::size_t>(points_));
    std::iota(order.begin(), order.end(), 0);
    for (const int p : order) {
      float best = cost(p, 0), second = 1e30F;
      for (int c = 1; c < clusters_; ++c) {
        const float value = cost(p, c);
        second = std::min(second, std::max(best, value));
        best = std::min(best, value);
      }
      regret[static_cast<std::size_t>(p)] = second - best;
    }
    std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
      return regret[static_cast<std::size_t>(a)] > regret[static_cast<std::size_t>(b)];
    });
    members_.assign(static_cast<std::size_t>(clusters_), {});
    const auto capacity = static_cast<std::size_t>(points_ / clusters_);
    for (const int p : order) {
      int chosen = -1;
      for (int c = 0; c < clusters_; ++c)
        if (members_[static_cast<std::size_t>(c)].size() < capacity &&
            (chosen < 0 || cost(p, c) < cost(p, chosen)))
          chosen = c;
      members_[static_cast<std::size_t>(chosen)].push_back(p);
      owner_[static_cast<std::size_t>(p)] = chosen;
    }
  }

  /// The member of `from` that gains most (or loses least) by moving to `to`.
  std::pair<std::size_t, float> best_move(int from, int to) const {
    const auto& members = members_[static_cast<std::size_t>(from)];
    std::size_t best = 0;
    float change = 1e30F;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const float value = cost(members[i], to) - cost(members[i], from);
      if (value < change) best = i, change = value;
    }
    return {best, change};
  }

  void exchange_pairs() {
    bool changed = true;
    for (int sweep = 0; changed && sweep < 20; ++sweep) {
      changed = false;
      for (int a = 0; a < clusters_; ++a) {
        for (int b = a + 1; b < clusters_; ++b) {
          for (;;) {
            const auto [i, out] = best_move(a, b);
            const auto [j, in] = best_move(b, a);
            if (out + in > -least_gain_) break;
            auto& from = members_[static_cast<std::size_t>(a)][i];
            auto& to = members_[static_cast<std::size_t>(b)][j];
            std::swap(from, to);
            owner_[static_cast<std::size_t>(from)] = a;
            owner_[static_cast<std::size_t>(to)] = b;
            changed = true;
          }
        }
      }
    }
  }

  at::Tensor table_;  // [points, clusters]
  const float* cost_;
  int points_;
  int clusters_;
  float least_gain_;  // an exchange must gain more, or rounding errors could make it repeat forever
  std::vector<int> owner_;
  std::vector<std::vector<int>> members_;
};

// Equal energies keep the order of the neurons, so that the result does not depend on the sort.
at::Tensor by_energy(const HiddenStatistics& statistics) {
  return std::get<1>(statistics.energy().sort(/*stable=*/true, /*dim=*/0, /*descending=*/true));
}

at::Tensor at_random(std::int64_t neurons, Random& random, at::Device device) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(neurons));
  std::iota(order.begin(), order.end(), 0);
  random.shuffle(order);
  return at::tensor(order).to(device);
}

std::vector<int> random_owners(int experts, std::int64_t expert_neurons, Random& random) {
  std::vector<int> owner;
  for (int expert = 0; expert < experts; ++expert)
    owner.insert(owner.end(), static_cast<std::size_t>(expert_neurons), expert);
  random.shuffle(owner);
  return owner;
}

}  // namespace

std::vector<int> Partition::owners() const {
  std::vector<int> owner(permutation.size(), -1);
  for (std::size_t j = static_cast<std::size_t>(shared_neurons); j < permutation.size(); ++j)
    owner[static_cast<std::size_t>(permutation[j])] =
        static_cast<int>((static_cast<std::int64_t>(j) - shared_neurons) / expert_neurons);
  return owner;
}

at::Tensor coactivation_marks(const DenseFfn& ffn, const HiddenStatistics& statistics, const at::Tensor& x,
                              const at::Tensor& neurons, double share) {
  const auto strength = (ffn.hidden(x).abs() * statistics.down_norm).index_select(1, neurons);  // [t, n]
  const auto marked =
      std::max<std::int64_t>(1, static_cast<std::int64_t>(share * static_cast<double>(neurons.size(0))));
  const auto strongest = std::get<1>(strength.topk(marked, 1));
  return at::zeros_like(strength).scatter_(1, strongest, 1.0).t().contiguous();
}

std::vector<int> balanced_kmeans(const at::Tensor& points, int clusters, Random random,
                                 const Context& context) {
  auto centres = seed_centres(points, clusters, random);
  std::vector<int> owner;
  for (int iteration = 0; iteration < kmeans_iterations; ++iteration) {
    context.check();
    auto next = Assignment(distances(points, centres), clusters).solve();
    if (next == owner) break;
    owner = std::move(next);
    centres = mean_of_clusters(points, owner, clusters);
  }
  return owner;
}

at::Tensor feature_rows(const LayerRows& rows, std::int64_t tokens) {
  const auto stride = std::max<std::int64_t>(1, rows.count() / tokens);
  const auto end = std::min(rows.count(), stride * tokens);
  return rows.x(at::arange(0, end, stride, at::kLong));
}

Partition partition_neurons(const DenseFfn& ffn, const HiddenStatistics& statistics, const LayerRows& rows,
                            const Recipe& recipe, Random random, const Context& context) {
  const auto f = ffn.gate.size(0);
  const auto sizes = slice_sizes(f, recipe.experts, recipe.shared);
  const auto order =
      recipe.stage1.energy_order ? by_energy(statistics) : at_random(f, random, ffn.gate.device());
  const auto routed = std::get<0>(order.slice(0, sizes.shared_neurons).sort());
  const Stage1& settings = recipe.stage1;
  const auto owner =
      settings.coactivation
          ? balanced_kmeans(coactivation_marks(ffn, statistics, feature_rows(rows, settings.feature_tokens),
                                               routed, settings.activation_share),
                            recipe.routed(), random, context)
          : random_owners(recipe.routed(), sizes.expert_neurons, random);

  Partition partition;
  partition.shared_neurons = sizes.shared_neurons;
  partition.expert_neurons = sizes.expert_neurons;
  const auto as_vector = [](const at::Tensor& t) {
    const auto cpu = t.to(at::kCPU).contiguous();
    return std::vector<std::int64_t>(cpu.data_ptr<std::int64_t>(),
                                     cpu.data_ptr<std::int64_t>() + cpu.numel());
  };
  partition.permutation = as_vector(std::get<0>(order.slice(0, 0, sizes.shared_neurons).sort()));
  const auto neurons = as_vector(routed);
  for (int expert = 0; expert < recipe.routed(); ++expert)
    for (std::size_t i = 0; i < neurons.size(); ++i)
      if (owner[i] == expert) partition.permutation.push_back(neurons[i]);
  return partition;
}

}  // namespace ladimo
