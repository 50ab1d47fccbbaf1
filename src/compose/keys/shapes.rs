//! The keys that Docker Compose 2.40.3 knows, from its own schema, which refuses all others. Sorted, so that they are found by halves.

use super::Shape;

macro_rules! shapes {
    ($($(#[$doc:meta])* $vis:vis $name:ident { $($key:literal)* } below { $($at:literal $shape:ident)* })*) => {
        $(
            $(#[$doc])*
            $vis const $name: Shape = Shape { keys: &[$($key),*], below: &[$(($at, &$shape)),*] };
        )*
    };
}

shapes! {
    CONFIGS_EACH
        { "content" "environment" "external" "file" "labels" "name" "template_driver" }
        below {}
    CONFIGS
        {}
        below { "*" CONFIGS_EACH }
    MODELS_EACH
        { "context_size" "model" "name" "runtime_flags" }
        below {}
    MODELS
        {}
        below { "*" MODELS_EACH }
    NETWORKS_EACH_EXTERNAL
        { "name" }
        below {}
    NETWORKS_EACH_IPAM_CONFIG_EACH
        { "aux_addresses" "gateway" "ip_range" "subnet" }
        below {}
    NETWORKS_EACH_IPAM_CONFIG
        {}
        below { "[]" NETWORKS_EACH_IPAM_CONFIG_EACH }
    NETWORKS_EACH_IPAM
        { "config" "driver" "options" }
        below { "config" NETWORKS_EACH_IPAM_CONFIG }
    NETWORKS_EACH
        { "attachable" "driver" "driver_opts" "enable_ipv4" "enable_ipv6" "external" "internal" "ipam" "labels"
        "name" }
        below { "external" NETWORKS_EACH_EXTERNAL "ipam" NETWORKS_EACH_IPAM }
    NETWORKS
        {}
        below { "*" NETWORKS_EACH }
    SECRETS_EACH
        { "driver" "driver_opts" "environment" "external" "file" "labels" "name" "template_driver" }
        below {}
    SECRETS
        {}
        below { "*" SECRETS_EACH }
    SERVICE_BLKIO_CONFIG_DEVICE_READ_BPS_EACH
        { "path" "rate" }
        below {}
    SERVICE_BLKIO_CONFIG_DEVICE_READ_BPS
        {}
        below { "[]" SERVICE_BLKIO_CONFIG_DEVICE_READ_BPS_EACH }
    SERVICE_BLKIO_CONFIG_WEIGHT_DEVICE_EACH
        { "path" "weight" }
        below {}
    SERVICE_BLKIO_CONFIG_WEIGHT_DEVICE
        {}
        below { "[]" SERVICE_BLKIO_CONFIG_WEIGHT_DEVICE_EACH }
    SERVICE_BLKIO_CONFIG
        { "device_read_bps" "device_read_iops" "device_write_bps" "device_write_iops" "weight" "weight_device" }
        below { "device_read_bps" SERVICE_BLKIO_CONFIG_DEVICE_READ_BPS "device_read_iops"
            SERVICE_BLKIO_CONFIG_DEVICE_READ_BPS "device_write_bps" SERVICE_BLKIO_CONFIG_DEVICE_READ_BPS
            "device_write_iops" SERVICE_BLKIO_CONFIG_DEVICE_READ_BPS "weight_device"
            SERVICE_BLKIO_CONFIG_WEIGHT_DEVICE }
    SERVICE_BUILD_SECRETS_EACH
        { "gid" "mode" "source" "target" "uid" }
        below {}
    SERVICE_BUILD_SECRETS
        {}
        below { "[]" SERVICE_BUILD_SECRETS_EACH }
    SERVICE_BUILD_ULIMITS_EACH
        { "hard" "soft" }
        below {}
    SERVICE_BUILD_ULIMITS
        {}
        below { "*" SERVICE_BUILD_ULIMITS_EACH }
    SERVICE_BUILD
        { "additional_contexts" "args" "cache_from" "cache_to" "context" "dockerfile" "dockerfile_inline"
        "entitlements" "extra_hosts" "isolation" "labels" "network" "no_cache" "platforms" "privileged" "provenance"
        "pull" "sbom" "secrets" "shm_size" "ssh" "tags" "target" "ulimits" }
        below { "secrets" SERVICE_BUILD_SECRETS "ulimits" SERVICE_BUILD_ULIMITS }
    SERVICE_CREDENTIAL_SPEC
        { "config" "file" "registry" }
        below {}
    SERVICE_DEPENDS_ON_EACH
        { "condition" "required" "restart" }
        below {}
    SERVICE_DEPENDS_ON
        {}
        below { "*" SERVICE_DEPENDS_ON_EACH }
    SERVICE_DEPLOY_PLACEMENT_PREFERENCES_EACH
        { "spread" }
        below {}
    SERVICE_DEPLOY_PLACEMENT_PREFERENCES
        {}
        below { "[]" SERVICE_DEPLOY_PLACEMENT_PREFERENCES_EACH }
    SERVICE_DEPLOY_PLACEMENT
        { "constraints" "max_replicas_per_node" "preferences" }
        below { "preferences" SERVICE_DEPLOY_PLACEMENT_PREFERENCES }
    SERVICE_DEPLOY_RESOURCES_LIMITS
        { "cpus" "memory" "pids" }
        below {}
    SERVICE_DEPLOY_RESOURCES_RESERVATIONS_DEVICES_EACH
        { "capabilities" "count" "device_ids" "driver" "options" }
        below {}
    SERVICE_DEPLOY_RESOURCES_RESERVATIONS_DEVICES
        {}
        below { "[]" SERVICE_DEPLOY_RESOURCES_RESERVATIONS_DEVICES_EACH }
    SERVICE_DEPLOY_RESOURCES_RESERVATIONS_GENERIC_RESOURCES_EACH_DISCRETE_RESOURCE_SPEC
        { "kind" "value" }
        below {}
    SERVICE_DEPLOY_RESOURCES_RESERVATIONS_GENERIC_RESOURCES_EACH
        { "discrete_resource_spec" }
        below { "discrete_resource_spec"
            SERVICE_DEPLOY_RESOURCES_RESERVATIONS_GENERIC_RESOURCES_EACH_DISCRETE_RESOURCE_SPEC }
    SERVICE_DEPLOY_RESOURCES_RESERVATIONS_GENERIC_RESOURCES
        {}
        below { "[]" SERVICE_DEPLOY_RESOURCES_RESERVATIONS_GENERIC_RESOURCES_EACH }
    SERVICE_DEPLOY_RESOURCES_RESERVATIONS
        { "cpus" "devices" "generic_resources" "memory" }
        below { "devices" SERVICE_DEPLOY_RESOURCES_RESERVATIONS_DEVICES "generic_resources"
            SERVICE_DEPLOY_RESOURCES_RESERVATIONS_GENERIC_RESOURCES }
    SERVICE_DEPLOY_RESOURCES
        { "limits" "reservations" }
        below { "limits" SERVICE_DEPLOY_RESOURCES_LIMITS "reservations" SERVICE_DEPLOY_RESOURCES_RESERVATIONS }
    SERVICE_DEPLOY_RESTART_POLICY
        { "condition" "delay" "max_attempts" "window" }
        below {}
    SERVICE_DEPLOY_ROLLBACK_CONFIG
        { "delay" "failure_action" "max_failure_ratio" "monitor" "order" "parallelism" }
        below {}
    SERVICE_DEPLOY
        { "endpoint_mode" "labels" "mode" "placement" "replicas" "resources" "restart_policy" "rollback_config"
        "update_config" }
        below { "placement" SERVICE_DEPLOY_PLACEMENT "resources" SERVICE_DEPLOY_RESOURCES "restart_policy"
            SERVICE_DEPLOY_RESTART_POLICY "rollback_config" SERVICE_DEPLOY_ROLLBACK_CONFIG "update_config"
            SERVICE_DEPLOY_ROLLBACK_CONFIG }
    SERVICE_DEVELOP_WATCH_EACH_EXEC
        { "command" "environment" "privileged" "user" "working_dir" }
        below {}
    SERVICE_DEVELOP_WATCH_EACH
        { "action" "exec" "ignore" "include" "initial_sync" "path" "target" }
        below { "exec" SERVICE_DEVELOP_WATCH_EACH_EXEC }
    SERVICE_DEVELOP_WATCH
        {}
        below { "[]" SERVICE_DEVELOP_WATCH_EACH }
    SERVICE_DEVELOP
        { "watch" }
        below { "watch" SERVICE_DEVELOP_WATCH }
    SERVICE_DEVICES_EACH
        { "permissions" "source" "target" }
        below {}
    SERVICE_DEVICES
        {}
        below { "[]" SERVICE_DEVICES_EACH }
    SERVICE_ENV_FILE_EACH
        { "format" "path" "required" }
        below {}
    SERVICE_ENV_FILE
        {}
        below { "[]" SERVICE_ENV_FILE_EACH }
    SERVICE_HEALTHCHECK
        { "disable" "interval" "retries" "start_interval" "start_period" "test" "timeout" }
        below {}
    SERVICE_LOGGING
        { "driver" "options" }
        below {}
    SERVICE_MODELS_EACH
        { "endpoint_var" "model_var" }
        below {}
    SERVICE_MODELS
        {}
        below { "*" SERVICE_MODELS_EACH }
    SERVICE_NETWORKS_EACH
        { "aliases" "driver_opts" "gw_priority" "interface_name" "ipv4_address" "ipv6_address" "link_local_ips"
        "mac_address" "priority" }
        below {}
    SERVICE_NETWORKS
        {}
        below { "*" SERVICE_NETWORKS_EACH }
    SERVICE_PORTS_EACH
        { "app_protocol" "host_ip" "mode" "name" "protocol" "published" "target" }
        below {}
    SERVICE_PORTS
        {}
        below { "[]" SERVICE_PORTS_EACH }
    SERVICE_POST_START
        {}
        below { "[]" SERVICE_DEVELOP_WATCH_EACH_EXEC }
    SERVICE_PROVIDER
        { "options" "type" }
        below {}
    SERVICE_VOLUMES_EACH_BIND
        { "create_host_path" "propagation" "recursive" "selinux" }
        below {}
    SERVICE_VOLUMES_EACH_IMAGE
        { "subpath" }
        below {}
    SERVICE_VOLUMES_EACH_TMPFS
        { "mode" "size" }
        below {}
    SERVICE_VOLUMES_EACH_VOLUME
        { "labels" "nocopy" "subpath" }
        below {}
    SERVICE_VOLUMES_EACH
        { "bind" "consistency" "image" "read_only" "source" "target" "tmpfs" "type" "volume" }
        below { "bind" SERVICE_VOLUMES_EACH_BIND "image" SERVICE_VOLUMES_EACH_IMAGE "tmpfs"
            SERVICE_VOLUMES_EACH_TMPFS "volume" SERVICE_VOLUMES_EACH_VOLUME }
    SERVICE_VOLUMES
        {}
        below { "[]" SERVICE_VOLUMES_EACH }
    SERVICE
        { "annotations" "attach" "blkio_config" "build" "cap_add" "cap_drop" "cgroup" "cgroup_parent" "command"
        "configs" "container_name" "cpu_count" "cpu_percent" "cpu_period" "cpu_quota" "cpu_rt_period"
        "cpu_rt_runtime" "cpu_shares" "cpus" "cpuset" "credential_spec" "depends_on" "deploy" "develop"
        "device_cgroup_rules" "devices" "dns" "dns_opt" "dns_search" "domainname" "entrypoint" "env_file"
        "environment" "expose" "extends" "external_links" "extra_hosts" "gpus" "group_add" "healthcheck" "hostname"
        "image" "init" "ipc" "isolation" "label_file" "labels" "links" "logging" "mac_address" "mem_limit"
        "mem_reservation" "mem_swappiness" "memswap_limit" "models" "network_mode" "networks" "oom_kill_disable"
        "oom_score_adj" "pid" "pids_limit" "platform" "ports" "post_start" "pre_stop" "privileged" "profiles"
        "provider" "pull_policy" "pull_refresh_after" "read_only" "restart" "runtime" "scale" "secrets"
        "security_opt" "shm_size" "stdin_open" "stop_grace_period" "stop_signal" "storage_opt" "sysctls" "tmpfs"
        "tty" "ulimits" "use_api_socket" "user" "userns_mode" "uts" "volumes" "volumes_from" "working_dir" }
        below { "blkio_config" SERVICE_BLKIO_CONFIG "build" SERVICE_BUILD "configs" SERVICE_BUILD_SECRETS
            "credential_spec" SERVICE_CREDENTIAL_SPEC "depends_on" SERVICE_DEPENDS_ON "deploy" SERVICE_DEPLOY
            "develop" SERVICE_DEVELOP "devices" SERVICE_DEVICES "env_file" SERVICE_ENV_FILE "healthcheck"
            SERVICE_HEALTHCHECK "logging" SERVICE_LOGGING "models" SERVICE_MODELS "networks" SERVICE_NETWORKS
            "ports" SERVICE_PORTS "post_start" SERVICE_POST_START "pre_stop" SERVICE_POST_START "provider"
            SERVICE_PROVIDER "secrets" SERVICE_BUILD_SECRETS "ulimits" SERVICE_BUILD_ULIMITS "volumes"
            SERVICE_VOLUMES }
    /// Services by their names.
    SERVICES
        {}
        below { "*" SERVICE }
    VOLUMES_EACH
        { "driver" "driver_opts" "external" "labels" "name" }
        below { "external" NETWORKS_EACH_EXTERNAL }
    VOLUMES
        {}
        below { "*" VOLUMES_EACH }
    /// A whole file.
    pub(super) FILE
        { "configs" "include" "models" "name" "networks" "secrets" "services" "version" "volumes" }
        below { "configs" CONFIGS "models" MODELS "networks" NETWORKS "secrets" SECRETS "services" SERVICES
            "volumes" VOLUMES }
}
