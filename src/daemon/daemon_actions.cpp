// Carrying out what the engine and control decide, one overload for each kind of it.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/daemon_impl.hpp"
#include "daemon/needs.hpp"

namespace cygnet::daemon {

using model::LogGroup;

namespace {

/// libvici takes a value with a line feed for no text.
std::string on_one_line(std::string_view lines) {
  std::string out;
  for (const char c : lines) {
    if (c != '\n') {
      out += c;
    } else if (!out.empty() && !out.ends_with(' ')) {
      out += "; ";
    }
  }
  if (out.ends_with("; ")) out.resize(out.size() - 2);
  return out;
}

}  // namespace

void Daemon::Impl::carry_out(ike::Actions actions) {
  for (ike::Action& action : actions) {
    std::visit([this](auto& one) { act(one); }, action);
  }
}

void Daemon::Impl::carry_out(control::Effects effects) {
  for (control::Effect& effect : effects) {
    std::visit([this](auto& one) { act(one); }, effect);
  }
}

void Daemon::Impl::act(const ike::action::Send& send) {
  // A datagram that cannot leave is one that was lost: retransmission is the engine's.
  if (const auto sent = ports.send(send.local, send.remote, send.bytes); !sent) {
    log.trace(LogGroup::net, "to " + send.remote.text() + ": " + sent.error().text());
  }
}

void Daemon::Impl::act(const ike::action::Keepalive& keepalive) {
  if (const auto sent = ports.send_keepalive(keepalive.local, keepalive.remote); !sent) {
    log.trace(LogGroup::net,
              "keepalive to " + keepalive.remote.text() + ": " + sent.error().text());
  }
}

Result<void> Daemon::Impl::install_on_host(const model::ChildSpec& child) {
  if (!host) return {};
  CYG_TRY(const auto own, io::own_addresses());
  return host->install(child.id.value(), host_needs(child, own));
}

host::HostNeeds Daemon::Impl::host_needs(const model::ChildSpec& child,
                                         const std::vector<IpAddress>& own) const {
  host::HostNeeds out = needs_of(child, controller.pool_ranges(), own);
  if (!settings.install_virtual_ip.value_or(true)) out.vips.clear();
  if (settings.install_routes.value_or(true)) return out;
  // Somebody else leads packets to the device.
  return {.vips = std::move(out.vips)};
}

void Daemon::Impl::act(ike::action::Install& install) {
  const model::ChildSpec& child = install.child;
  Result<void> done = plane->install(child);
  if (done) {
    done = install_on_host(child);
    if (!done) {
      if (const auto undone = plane->remove(child.id); !undone) {
        log.error(LogGroup::knl, child.name + ": " + undone.error().text());
      }
    }
  }
  if (done) return;
  inputs.emplace_back(
      model::PlaneEvent{model::plane::InstallFailed{child.id, std::move(done).error()}});
}

void Daemon::Impl::act(const ike::action::Activate& activate) {
  if (auto done = plane->activate(activate.child, activate.outbound); !done) {
    inputs.emplace_back(
        model::PlaneEvent{model::plane::InstallFailed{activate.child, std::move(done).error()}});
  }
}

void Daemon::Impl::act(const ike::action::Relocate& relocate) {
  if (auto done = plane->relocate(relocate.child, relocate.local, relocate.remote); !done) {
    log.error(LogGroup::knl,
              fmt::format("child {}: {}", relocate.child.value(), done.error().text()));
  }
}

void Daemon::Impl::act(const ike::action::Remove& remove) {
  if (host) {
    if (const auto done = host->remove(remove.child.value()); !done) {
      log.error(LogGroup::knl, "host: " + done.error().text());
    }
  }
  if (const auto done = plane->remove(remove.child); !done) {
    log.error(LogGroup::knl,
              fmt::format("child {}: {}", remove.child.value(), done.error().text()));
  }
}

void Daemon::Impl::act(const ike::Ask& ask) {
  inputs.emplace_back(controller.answer(ask, *this, wall_now()));
}

void Daemon::Impl::act(const ike::ask::Release& release) { controller.release(release); }

void Daemon::Impl::act(const ike::Event& event) {
  if (std::holds_alternative<ike::event::Quiet>(event)) quiet = true;
  control::Effects effects;
  controller.handle(event, *this, clock_now(), effects);
  carry_out(std::move(effects));
}

void Daemon::Impl::act(control::effect::Tell& tell) {
  inputs.emplace_back(std::move(tell.command));
}

void Daemon::Impl::act(const control::effect::Log& effect) {
  log.write(effect.line);
  if (anybody_hears("log")) vici->publish("log", control::log_message(effect.line, 1));
}

void Daemon::Impl::act(const control::effect::Publish& publish) {
  vici->publish(publish.event, publish.message);
}

void Daemon::Impl::act(const control::effect::ResetCounters& reset) {
  if (reset.each) {
    engine->reset_connection_counters();
  } else {
    engine->reset_counters(reset.connection);
  }
}

void Daemon::Impl::act(const control::effect::ReloadSettings& reload) {
  std::string faults;
  if (const auto done = reload_settings(); !done) {
    log.errors(LogGroup::cfg, done.error().text());
    faults = on_one_line(done.error().text());
  }
  control::Effects effects;
  control::Controller::reloaded(reload.client, faults, effects);
  carry_out(std::move(effects));
}

void Daemon::Impl::act(const control::effect::Respond& respond) {
  vici->respond(respond.client, respond.message);
}

void Daemon::Impl::act(const control::effect::Stream& stream) {
  vici->stream(stream.client, stream.event, stream.message);
}

void Daemon::Impl::act(const control::effect::Resume& resume) { vici->resume(resume.client); }

void Daemon::Impl::act(const control::effect::Reload& reload) {
  config::Diagnostics diags;
  control::Effects effects;
  auto all = read(diags);
  if (all) {
    controller.reload(reload, std::move(all->loaded), diags, *this, clock_now(), effects);
    const bool good = !diags.has_errors();
    if (good && !reload.only_plan) heed(*std::move(all), diags);
    if (!reload.only_plan) {
      tell_reloaded(good ? Result<void>{} : fail("load the configuration", "\n" + diags.text()));
    }
  } else {
    control::Controller::refuse_reload(reload.client, all.error().text(), effects);
  }
  carry_out(std::move(effects));
}

// --- where to call -------------------------------------------------------------------------------

void Daemon::Impl::act(const control::effect::Resolve& resolve) {
  if (const auto* host_name = std::get_if<model::HostName>(&resolve.target.remote)) {
    loop->resolve(host_name->name, [this, resolve](const auto& remotes) {
      resolved(resolve.request, resolve.target, remotes);
      drain();
    });
    return;
  }
  const auto* range = std::get_if<IpRange>(&resolve.target.remote);
  resolved(resolve.request, resolve.target,
           range == nullptr ? Result<std::vector<IpAddress>>{fail("call", "no address")}
                            : std::vector{range->first});
}

void Daemon::Impl::resolved(ike::RequestId request, const control::Target& target,
                            const Result<std::vector<IpAddress>>& remotes) {
  control::Effects effects;
  const auto route = remotes ? route_to(target, *remotes)
                             : Result<control::Route>{std::unexpected(remotes.error())};
  controller.resolved(request, route, effects, clock_now());
  carry_out(std::move(effects));
}

/// The first remote address that there is a source address for.
Result<control::Route> Daemon::Impl::route_to(const control::Target& target,
                                              const std::vector<IpAddress>& remotes) {
  CYG_TRY(const std::uint16_t local_port, ports.local_port(target.local_port));
  Result<control::Route> out = fail("call", "no address");
  for (const IpAddress& remote : remotes) {
    const auto preferred = std::ranges::find_if(target.local, [&](const auto& local) {
      const auto* range = std::get_if<IpRange>(&local);
      return range != nullptr && range->first.family() == remote.family();
    });
    Result<IpAddress> source = fail("call", "set local_addrs: without a data plane none is chosen");
    if (preferred != target.local.end()) {
      source = std::get<IpRange>(*preferred).first;
    } else if (host) {
      source = host->source_for(remote);
    }
    if (source) {
      return control::Route{.local = {*source, local_port}, .remote = {remote, target.remote_port}};
    }
    out = std::unexpected(source.error());
  }
  return out;
}

}  // namespace cygnet::daemon
